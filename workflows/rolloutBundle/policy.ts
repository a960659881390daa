import type { ChangeKind } from './contract.js';

/** How traffic moves to a new bundle: `at once` swaps for all of it after the gates, and the smoke judges. */
export type CanaryPolicy = 'at once';

const BY_KIND: Record<ChangeKind, CanaryPolicy> = {
  model: 'at once',
  lookups: 'at once',
  thresholds: 'at once',
};

/** The one place that says how carefully each kind of change goes live. A rollback has no kind: it goes to what has proven itself. */
export function canaryPolicy(kind: ChangeKind | undefined): CanaryPolicy {
  return kind === undefined ? 'at once' : BY_KIND[kind];
}
