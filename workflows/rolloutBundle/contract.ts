import type { ChangeNote } from '../../domain/pointer/pointer.js';
import type { ModelRef, Receipt } from '../../domain/release/types.js';
import type { Called } from '../common/caller.js';
import type { StepProgress } from '../common/progress.js';
import type { BundleId } from '../../domain/bundle/id.js';

export const WORKFLOW = 'rolloutBundle';
export const STEPS = ['verify', 'pointer swap', 'reload', 'smoke'] as const;
/** The step of a run that waits for a rollout; the rollout's own are below it. */
export const ROLLOUT_STEP = 'rollout';

export type ChangeKind = ChangeNote['kind'];
export type Environment = 'production' | 'staging';

/** One rollout at a time per model and environment: the id is the lock. */
export function rolloutId(model: string, environment: Environment): string {
  return `rollout/${model}/${environment}`;
}

export interface RolloutInput extends Called, ModelRef {
  environment: Environment;
  bundle: BundleId;
  /** what the bundle was composed against; null when nothing was live. Anything else live now: `base-moved`, nothing is changed. */
  base: { version: string; generation: number } | null;
  releaseId: string;
  /** how long to wait for a live replica, in seconds; without one nothing is known, and the change is undone */
  replicaWaitSeconds: number;
  /** what kind of change this is; absent for a rollback, which goes to what was live before */
  kind?: ChangeKind;
  /** what the audit entry says of it beyond who and why; needs `kind` */
  change?: Omit<ChangeNote, 'kind'>;
}

/** Whether it is an operator's undo: it is never taken back because a replica did not answer. */
export function goesBack({ kind }: Pick<RolloutInput, 'kind'>): boolean {
  return kind === undefined;
}

/** The bundles that a rollout needs: the one that goes live, and the one that a failure goes back to. */
export function versionsOf({ bundle, base }: Pick<RolloutInput, 'bundle' | 'base'>): string[] {
  return base === null ? [bundle.version] : [bundle.version, base.version];
}

/** How a rollout can end; each has a frozen history. */
export const OUTCOMES = [
  /** every live replica serves the bundle and its smoke passed */
  'live',
  /** another change went first; nothing was touched, compose again and try again */
  'base-moved',
  /** a failed reload or smoke was undone: the former bundle is live again, at a higher generation */
  'undone',
  /** it failed, and a newer change has since taken the pointer: nothing to undo */
  'overtaken',
  /** it failed, and there was no former bundle to go back to */
  'nothing-to-restore',
] as const;
export type RolloutOutcome = (typeof OUTCOMES)[number];

/** Whether the bundle proved itself; `Inconclusive`: it was never live. */
export type RolloutVerdict = 'Successful' | 'Failed' | 'Inconclusive';

export interface RolloutResult {
  outcome: RolloutOutcome;
  verdict: RolloutVerdict;
  generation: number | null;
  /** what is live after the rollout */
  liveVersion: string | null;
  receipts: Receipt[];
  /** replicas that hold a lease and did not answer, which the rollout went on without; absent where there are none */
  silent?: string[];
  why: string;
  steps: StepProgress[];
}

/** How a rollout stands, for its search attribute and its page; the query answers the steps alone. */
export interface RolloutProgress {
  status: 'Running' | RolloutVerdict;
  steps: StepProgress[];
  why: string | null;
}
