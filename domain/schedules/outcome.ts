/** How a scheduled run ended that is no reason to stop its schedule: the run has said so itself, and the next one may well succeed. */
export type GoesOn = 'checks-failed' | 'no-data' | 'overtaken' | 'cancelled';

/** The failure type of a run that somebody cancelled. */
export const CANCELLED = 'cancelled';

/** By failure type. Every other failure may come again the next time, and stops the schedules that stop. */
const GOES_ON: Readonly<Record<string, GoesOn>> = {
  GateFailed: 'checks-failed',
  DataCheckFailed: 'checks-failed',
  NoData: 'no-data',
  Conflict: 'overtaken',
  Superseded: 'overtaken',
  [CANCELLED]: 'cancelled',
};

/**
 * What a failed run's failure type means for its schedule.
 * @returns null where the schedule has failed with its run
 */
export function outcomeOfFailure(type: string | null): GoesOn | null {
  return type !== null && Object.hasOwn(GOES_ON, type) ? (GOES_ON[type] ?? null) : null;
}

/** Statuses of runs that ended well and settled nothing: with more data, or a live model, the same day has another answer. */
const UNSETTLED: readonly string[] = ['NothingLive', 'NotEnoughFeedback', 'Inconclusive'];

/** Whether the run of this day, which ended like this, is to be run again when its schedule comes to it again. */
export function isUnsettled(status: string | null): boolean {
  return status !== null && UNSETTLED.includes(status);
}
