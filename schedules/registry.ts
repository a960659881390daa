import type { DayOfWeek, ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduledJob } from '../workflows/launchScheduled/contract.js';

/** One line of the timetable; every model has each. Nothing is left to Temporal's defaults: its catch-up window is a year, and it skips in silence. */
export interface ScheduleEntry {
  name: string;
  job: ScheduledJob;
  /** for people */
  what: string;
  at: { hour: number; minute: number; days: 'every' | DayOfWeek; timeZone: string };
  /** what happens to an action that comes due while the one before still runs */
  overlap: ScheduleOverlapPolicy;
  /** after an outage of the server, actions that are not older than this are made up for */
  catchupHours: number;
  /** a random delay, so that the models do not all start in one second */
  jitterSeconds: number;
  /** a failed run stops the schedule until a person resumes it */
  pauseOnFailure: boolean;
  /** off when it is made; from then on it is the operator's to pause and resume */
  startsPaused: boolean;
}

const JITTER_SECONDS = 120;

export const REGISTRY: readonly ScheduleEntry[] = [
  {
    name: 'nightly-refresh',
    job: 'nightlyRefresh',
    what: 'lookups made anew, one bundle',
    at: { hour: 1, minute: 0, days: 'every', timeZone: 'UTC' },
    // A night that is late makes way for the next; of two that are late, the later one is worth running.
    overlap: 'BUFFER_ONE',
    catchupHours: 12,
    jitterSeconds: JITTER_SECONDS,
    // The next night may well succeed, and stale lookups are worse than an alert a day.
    pauseOnFailure: false,
    startsPaused: false,
  },
  {
    name: 'fx-daily',
    job: 'fxRates',
    what: 'exchange rates after the ECB has fixed them',
    // The ECB publishes at about 16:00 Frankfurt time, summer and winter.
    at: { hour: 17, minute: 0, days: 'every', timeZone: 'Europe/Berlin' },
    overlap: 'BUFFER_ONE',
    catchupHours: 6,
    jitterSeconds: JITTER_SECONDS,
    pauseOnFailure: false,
    startsPaused: false,
  },
  {
    name: 'drift-daily',
    job: 'drift',
    what: 'what is scored compared with what was trained on',
    at: { hour: 2, minute: 0, days: 'every', timeZone: 'UTC' },
    // Drift is a rule over days: a day that is missing weakens it, so all are run, one after another.
    overlap: 'BUFFER_ALL',
    catchupHours: 96,
    jitterSeconds: JITTER_SECONDS,
    pauseOnFailure: false,
    startsPaused: false,
  },
  {
    name: 'drift-weekly',
    job: 'driftSnapshot',
    what: "the week's profile, kept for comparison",
    at: { hour: 3, minute: 0, days: 'MONDAY', timeZone: 'UTC' },
    overlap: 'BUFFER_ALL',
    catchupHours: 48,
    jitterSeconds: JITTER_SECONDS,
    pauseOnFailure: false,
    startsPaused: false,
  },
  {
    name: 'thresholds-weekly',
    job: 'thresholds',
    what: 'thresholds proposed from labelled feedback',
    at: { hour: 4, minute: 0, days: 'MONDAY', timeZone: 'UTC' },
    overlap: 'SKIP',
    catchupHours: 48,
    jitterSeconds: JITTER_SECONDS,
    pauseOnFailure: true,
    startsPaused: false,
  },
  {
    name: 'retraining-weekly',
    job: 'retraining',
    what: 'a release from the newest mature labels',
    at: { hour: 5, minute: 0, days: 'SUNDAY', timeZone: 'UTC' },
    overlap: 'SKIP',
    catchupHours: 24,
    jitterSeconds: JITTER_SECONDS,
    pauseOnFailure: true,
    startsPaused: true,
  },
  {
    name: 'prune-weekly',
    job: 'prune',
    what: 'bundles and artifacts that nothing names any more',
    at: { hour: 6, minute: 0, days: 'SUNDAY', timeZone: 'UTC' },
    overlap: 'SKIP',
    catchupHours: 24,
    jitterSeconds: JITTER_SECONDS,
    // What deletes is looked at before it runs again.
    pauseOnFailure: true,
    startsPaused: true,
  },
];
