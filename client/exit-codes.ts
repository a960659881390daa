import type { DriftVerdict } from '../domain/drift/day.js';
import type { DriftStatus } from '../workflows/monitorDrift/contract.js';
import type { ThresholdsStatus } from '../workflows/recalibrateThresholds/contract.js';
import type { RefreshStatus } from '../workflows/refresh/contract.js';
import type { ReleaseStatus } from '../workflows/releaseModel/contract.js';

/** What a script can tell from the exit code alone; `sluice --help` prints this table. */
export const EXIT = {
  ok: 0,
  /** something that should not happen */
  error: 1,
  /** wrong words on the command line, or input that was refused */
  usage: 2,
  /** the release ended as failed: a gate, a data check, a rollout that was undone */
  failed: 3,
  /** rejected by a person, or no decision before the deadline */
  notApproved: 4,
  superseded: 5,
  /** Temporal, MongoDB, S3 or MLflow did not answer */
  unreachable: 6,
  notFound: 7,
  /** what is scored differs from what the model was trained on */
  drift: 8,
  /** too little data for a verdict, which is no pass */
  inconclusive: 9,
  /** Ctrl-C, as shells count it */
  interrupted: 130,
} as const;

export const EXIT_CODE_HELP = `
Exit codes:
  0  done, or live
  1  an error that should not happen: please report it
  2  wrong words on the command line, or input that was refused
  3  the release failed: a gate, a data check, or a rollout that was undone
  4  not approved: rejected, or nobody decided in time
  5  superseded: something newer is live
  6  Temporal, MongoDB, S3 or MLflow is not reachable
  7  no such release, model or bundle
  8  drift: what is scored differs from what the model was trained on
  9  inconclusive: too little data for a verdict
  130  stopped by Ctrl-C`;

const BY_STATUS: Record<ReleaseStatus | ThresholdsStatus, number> = {
  Released: EXIT.ok,
  Live: EXIT.ok,
  Unchanged: EXIT.ok,
  Running: EXIT.ok,
  WaitingForApproval: EXIT.ok,
  Rejected: EXIT.notApproved,
  Expired: EXIT.notApproved,
  Superseded: EXIT.superseded,
  Failed: EXIT.failed,
};

export function exitCodeOf(status: ReleaseStatus | ThresholdsStatus): number {
  return BY_STATUS[status];
}

const BY_DRIFT: Record<DriftStatus | DriftVerdict, number> = {
  Running: EXIT.ok,
  None: EXIT.ok,
  none: EXIT.ok,
  warn: EXIT.ok,
  Warning: EXIT.ok,
  Recorded: EXIT.ok,
  Drift: EXIT.drift,
  drift: EXIT.drift,
  Retraining: EXIT.drift,
  Inconclusive: EXIT.inconclusive,
  inconclusive: EXIT.inconclusive,
  Failed: EXIT.failed,
};

/** A run's status, or the verdict of a day that is looked up. */
export function exitCodeOfDrift(outcome: DriftStatus | DriftVerdict): number {
  return BY_DRIFT[outcome];
}

const BY_REFRESH: Record<RefreshStatus, number> = {
  Running: EXIT.ok,
  WaitingForApproval: EXIT.ok,
  Made: EXIT.ok,
  Refreshed: EXIT.ok,
  Unchanged: EXIT.ok,
  Incomplete: EXIT.failed,
  Rejected: EXIT.notApproved,
  Expired: EXIT.notApproved,
  Superseded: EXIT.superseded,
  Failed: EXIT.failed,
};

export function exitCodeOfRefresh(status: RefreshStatus): number {
  return BY_REFRESH[status];
}
