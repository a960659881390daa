import type { DriftVerdict } from '../domain/drift/day.js';
import type { FailureType } from '../platform/errors.js';
import type { DriftStatus } from '../workflows/monitorDrift/contract.js';
import type { ThresholdsStatus } from '../workflows/recalibrateThresholds/contract.js';
import type { RefreshStatus } from '../workflows/refresh/contract.js';
import type { ReleaseStatus } from '../workflows/releaseModel/contract.js';

/** What a script can tell from the exit code alone; `sluice --help` prints this table. */
export const EXIT = {
  ok: 0,
  /** a defect of ours */
  error: 1,
  /** invalid command line, or rejected input */
  usage: 2,
  /** the run failed: a gate, a data check, a rollout that was undone */
  failed: 3,
  /** rejected by a person, or no decision before the deadline */
  notApproved: 4,
  superseded: 5,
  /** Temporal, MongoDB, S3 or MLflow did not answer */
  unreachable: 6,
  notFound: 7,
  /** what is scored differs from what the model was trained on */
  drift: 8,
  /** too little data for a verdict, or nothing live, which is no pass */
  inconclusive: 9,
  /** Ctrl-C, as shells count it */
  interrupted: 130,
} as const;

export const EXIT_CODE_HELP = `
Exit codes:
  0  done, or live
  1  internal error: please report it
  2  invalid command line, or rejected input
  3  failed: a gate, a data check, or a rollout that was undone
  4  not approved: rejected, or nobody decided in time
  5  superseded: something newer is live
  6  Temporal, MongoDB, S3 or MLflow is not reachable
  7  no such release, model or bundle
  8  drift: scored transactions differ from the training data
  9  inconclusive: too little data for a verdict, or nothing live
  130  stopped by Ctrl-C`;

/** How a run ended, or stands, as a script wants to know it: every kind of run has these and no others. */
type Outcome = 'done' | 'failed' | 'notApproved' | 'superseded' | 'inconclusive' | 'drift';

const EXIT_OF: Record<Outcome, number> = {
  done: EXIT.ok,
  failed: EXIT.failed,
  notApproved: EXIT.notApproved,
  superseded: EXIT.superseded,
  inconclusive: EXIT.inconclusive,
  drift: EXIT.drift,
};

/** Every status of every kind of run, and the verdict of a day that is looked up. A run that goes on has done nothing wrong so far. */
export type Status = ReleaseStatus | ThresholdsStatus | RefreshStatus | DriftStatus | DriftVerdict | CutOff;

/** How Temporal says that a run ended which could not say so itself, or was told to end. */
export type CutOff = 'Cancelled' | 'Terminated' | 'TimedOut';

const OUTCOMES: Record<Status, Outcome> = {
  Running: 'done',
  WaitingForApproval: 'done',
  Released: 'done',
  Live: 'done',
  Made: 'done',
  Refreshed: 'done',
  Unchanged: 'done',
  Recorded: 'done',
  None: 'done',
  none: 'done',
  Warning: 'done',
  warn: 'done',
  Drift: 'drift',
  drift: 'drift',
  Retraining: 'drift',
  Inconclusive: 'inconclusive',
  NotEnoughFeedback: 'inconclusive',
  NothingLive: 'inconclusive',
  inconclusive: 'inconclusive',
  Rejected: 'notApproved',
  Expired: 'notApproved',
  Superseded: 'superseded',
  Incomplete: 'failed',
  Failed: 'failed',
  Cancelled: 'failed',
  Terminated: 'failed',
  TimedOut: 'failed',
};

export function exitCodeOf(status: Status): number {
  return EXIT_OF[OUTCOMES[status]];
}

const FAILED: Partial<Record<FailureType, number>> = {
  InvalidInput: EXIT.usage,
  InvalidSpec: EXIT.usage,
  UnknownModel: EXIT.notFound,
  NotFound: EXIT.notFound,
  Unreachable: EXIT.unreachable,
  Rejected: EXIT.usage,
  Conflict: EXIT.usage,
  NotAuthorised: EXIT.usage,
  Superseded: EXIT.superseded,
  RolloutFailed: EXIT.failed,
  UndoFailed: EXIT.failed,
  SmokeFailed: EXIT.failed,
  ReloadFailed: EXIT.failed,
  NoReplica: EXIT.failed,
  IntegrityError: EXIT.failed,
  RunStopped: EXIT.failed,
  NoData: EXIT.usage,
  GateFailed: EXIT.failed,
  DataCheckFailed: EXIT.failed,
};

/** How a command ends that failed in this way. What is not listed should not happen. */
export function exitCodeOfFailure(type: FailureType): number {
  return FAILED[type] ?? EXIT.error;
}
