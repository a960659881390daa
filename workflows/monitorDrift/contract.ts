import type { DriftDay } from '../../domain/drift/day.js';
import type { KeptSnapshot } from '../../activities/drift/contract.js';
import type { RetrainingClaim } from '../../domain/retraining/claim.js';
import type { StepProgress } from '../common/progress.js';

export const WORKFLOW = 'monitorDrift';
export const STEPS = {
  daily: ['live bundle', 'compare', 'retraining', 'alert', 'MLflow'],
  weekly: ['live bundle', 'snapshot', 'alert'],
} as const;

export interface DriftInput {
  model: string;
  /** every window ends here; ISO */
  asOf: string;
  /** `runKey(asOf)` for a daily comparison, `weekly-` before it for a weekly snapshot */
  key: string;
  /** daily: compared with the training data, alerts, may start a retraining. weekly: the window's profile is kept, to be compared by hand. */
  kind: 'daily' | 'weekly';
}

/** A key is run once: one that ended well stands; one that failed or found too little to judge may be run again. */
export function driftWorkflowId(model: string, key: string): string {
  return `drift/${model}/${key}`;
}

/** The release that a day's drift starts; its id makes it one per day, whoever starts it. */
export function retrainingReleaseId(key: string): string {
  return `drift-${key}`;
}

/** How a drift run can end; each has a frozen history. `Warning`: something to look at that is no drift. `Retraining`: drift, and its retraining has been started. `Recorded`: a weekly snapshot is kept. */
export const ENDS = ['None', 'Warning', 'Drift', 'Retraining', 'Recorded', 'Inconclusive', 'Failed'] as const;
export type DriftStatus = 'Running' | (typeof ENDS)[number];

/** What came of a day that asks for a retraining: its release runs, or a former retraining holds it back until a time. */
export interface Retraining {
  outcome: 'started' | 'cooling-down';
  claim: RetrainingClaim;
  workflowId: string;
  /** end of the cool-down, ISO */
  until: string;
}

export interface DriftProgress {
  status: DriftStatus;
  steps: StepProgress[];
  /** what the day's comparison came to; null until it is known, and for a weekly snapshot */
  day: DriftDay | null;
  snapshot: KeptSnapshot | null;
  retraining: Retraining | null;
  /** the comparison's run in MLflow; null before, and when there is none */
  mlflowUrl: string | null;
  why: string | null;
}

export type DriftResult = DriftProgress & { model: string; key: string };
