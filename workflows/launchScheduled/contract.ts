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
 * `waiting-for-approval`: the run goes on without the launcher until a person decides, so that the next night is not held up.
 */
export type LaunchOutcome = 'completed' | 'waiting-for-approval';

export interface LaunchResult {
  workflowId: string;
  asOf: string;
  /** the id had run or was running: it was found, not started again */
  found: boolean;
  outcome: LaunchOutcome;
}
