import { rootFailureType } from '../common/reason.js';
import { DRIFT_MONITOR, SCHEDULER } from '../../domain/approval/caller.js';
import { comparisonTable } from '../../domain/release/comparison.js';
import { decideCommand } from './details.js';
import type { Proposal } from './contract.js';
import type { ReleaseRun } from './run.js';

/** What a release is to people: who started it decides by whom it is awaited. */
export function nameOf({ input: { releaseId }, caller: { actor } }: Pick<ReleaseRun, 'input' | 'caller'>): string {
  if (actor === DRIFT_MONITOR) return `retraining ${releaseId}, started by drift,`;
  return actor === SCHEDULER ? `scheduled release ${releaseId}` : `release ${releaseId}`;
}

export function tellOpened(run: ReleaseRun, proposal: Proposal, deadline: string): void {
  const { modelVersion, champion, metrics, gates } = proposal;
  run.tell('approvalOpened', 'approval-opened', {
    ...decidable(run),
    question: `Make version ${modelVersion} live? ${champion === null ? 'Nothing is live.' : `${champion.version} is live.`}`,
    table: comparisonTable(metrics, champion, gates),
    deadline,
  });
}

export function remind(run: ReleaseRun, hoursLeft: number, key: string): Promise<void> {
  return run.tellAsBefore('approvalReminder', key, { ...decidable(run), hoursLeft });
}

/** How a release ended, for those who did not watch it. One that somebody cancelled, or that was refused to whoever asked for it, is no news to them. */
export function tellEnd(run: ReleaseRun, error?: unknown): void {
  const { model, releaseId } = run.input;
  const { status, why, bundleVersion, generation, modelVersion } = run.progress;
  const what = nameOf(run);
  const ended = { model, what, why: why ?? 'no reason given', again: 'sluice release start --reason WHY' };
  switch (status) {
    case 'Released':
      return run.tell('wentLive', 'live', {
        model,
        what,
        version: bundleVersion ?? '?',
        generation: generation ?? 0,
        figures: `MLflow version ${modelVersion}. The figures: sluice release show ${releaseId}`,
      });
    case 'Superseded':
      return run.tell('superseded', 'superseded', ended);
    case 'Expired':
      return run.tell('approvalExpired', 'approval-expired', { model, what });
    case 'Failed': {
      const type = rootFailureType(error);
      if (type !== null && ['cancelled', 'NotAuthorised', 'InvalidInput'].includes(type)) return;
      const kind =
        type === 'GateFailed' || type === 'DataCheckFailed'
          ? 'checksFailed'
          : type === 'RolloutFailed'
            ? 'undone'
            : 'runFailed';
      return run.tellFailure(kind, ended);
    }
    case 'Rejected':
    case 'Running':
    case 'WaitingForApproval':
      // A rejection is told as it is made.
      return;
    default:
      status satisfies never;
  }
}

function decidable(run: ReleaseRun) {
  const { model, releaseId } = run.input;
  const [approve, reject] = [decideCommand('approve', releaseId), decideCommand('reject', releaseId)];
  return { model, what: nameOf(run), approve, reject };
}
