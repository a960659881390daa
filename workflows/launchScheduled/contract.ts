import type { GoesOn } from '../../domain/schedules/outcome.js';

export const WORKFLOW = 'launchScheduled';

/** What can be scheduled; `jobs.ts` says which workflow each is and under which id. */
export const SCHEDULED_JOBS = [
  'nightlyRefresh',
  'fxRates',
  'drift',
  'driftSnapshot',
  'thresholds',
  'retraining',
  'prune',
] as const;
export type ScheduledJob = (typeof SCHEDULED_JOBS)[number];

/** A schedule appends a time to this. */
export function launcherId(model: string, schedule: string): string {
  return `launch/${model}/${schedule}`;
}

export interface LaunchInput {
  model: string;
  /** the schedule's name in the registry, for people */
  schedule: string;
  job: ScheduledJob;
  /** whole days added to the scheduled time, for data that ends in the past */
  asOfOffsetDays: number;
  /** whether the schedule stops itself when this run fails: then somebody must be told */
  pausesOnFailure: boolean;
}

/**
 * `waiting-for-approval`: the run goes on without the launcher until a person decides, so that the next night is not held up. The others but
 * `completed`: the run failed, and the schedule goes on all the same.
 */
export const OUTCOMES = [
  'completed',
  'waiting-for-approval',
  'checks-failed',
  'no-data',
  'overtaken',
  'cancelled',
] as const satisfies readonly ('completed' | 'waiting-for-approval' | GoesOn)[];
export type LaunchOutcome = (typeof OUTCOMES)[number];

export interface LaunchResult {
  workflowId: string;
  asOf: string;
  /** the id had run or was running: it was found, not started again */
  found: boolean;
  outcome: LaunchOutcome;
  /** of a run that completed, as it says it; absent: it says none, or ended before 25 November 2026 */
  status?: string;
  /** why the run failed although its schedule goes on; absent: it did not */
  why?: string;
}
