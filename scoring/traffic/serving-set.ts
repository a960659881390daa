import type { Split } from '../../domain/traffic/assign.js';
import type { Pointer } from '../../schemas/types.js';
import type { OpenBundle } from '../bundles/open-bundle.js';

/** How a set came here. */
export interface Origin {
  from: 'store' | 'cache' | 'pinned';
  /** null when pinned: no pointer, no generation */
  generation: number | null;
  environment: Pointer['environment'];
  pointer: Pointer | null;
}

/** On trial beside the champion. */
export interface Candidate extends Split {
  /** `canary`: it answers its share of the customers; `shadow`: it answers nobody, and its scores are recorded */
  mode: 'canary' | 'shadow';
}

/** Who answers requests in one generation. It never changes: another generation is another set, of the same bundles perhaps. */
export interface ServingSet {
  readonly origin: Origin;
  readonly champion: OpenBundle;
  readonly candidate: (Candidate & { readonly bundle: OpenBundle }) | null;
  /** when it was made here, as ISO time */
  readonly since: string;
}

/** The bundles of a set, each as often as the set uses it. */
export function bundlesOf({ champion, candidate }: ServingSet): OpenBundle[] {
  return candidate === null ? [champion] : [champion, candidate.bundle];
}
