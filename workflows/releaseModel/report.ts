import type { ReleaseReport } from '../../activities/report/contract.js';
import type { ReleaseStatus } from './contract.js';
import type { ReleaseRun } from './run.js';

/** Where the registry keeps the model of a release that ended like this; null while it has not ended. */
const STAGES: Record<ReleaseStatus, string | null> = {
  Released: 'Production',
  Rejected: 'Archived',
  Expired: 'Archived',
  Superseded: 'Archived',
  Failed: 'Archived',
  Running: null,
  WaitingForApproval: null,
};

/** What the release report says of a run that has ended. */
export function reportOf({ input, caller, progress, facts }: ReleaseRun): ReleaseReport {
  return {
    model: input.model,
    releaseId: input.releaseId,
    status: progress.status,
    runId: progress.training?.runId ?? null,
    modelVersion: progress.modelVersion,
    bundleVersion: progress.bundleVersion,
    generation: progress.generation,
    stage: progress.modelVersion === null ? null : STAGES[progress.status],
    metrics: progress.metrics ?? {},
    gates: progress.gates,
    dataSnapshotId: progress.dataSnapshotId,
    snapshotPrefix: facts.snapshotPrefix,
    actor: facts.decidedBy === null ? caller.actor : `${caller.actor}, decided by ${facts.decidedBy}`,
    reason: progress.why ?? facts.decisionReason ?? caller.reason,
    finishedAt: new Date().toISOString(),
    ...(progress.overrides === undefined ? {} : { overrides: progress.overrides }),
    ...(progress.overrideReason === undefined ? {} : { overrideReason: progress.overrideReason }),
    ...(progress.unproven === undefined ? {} : { unproven: progress.unproven }),
  };
}
