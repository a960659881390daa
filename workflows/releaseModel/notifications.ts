import { DRIFT_MONITOR, SCHEDULER } from '../../domain/approval/caller.js';
import { isNoNews, rootFailureType } from '../common/reason.js';
import { comparisonTable } from '../../domain/release/comparison.js';
import { decideCommand } from './details.js';
import type { Proposal } from './contract.js';
import type { ReleaseRun } from './run.js';

/** What a release is to people: who started it decides by whom it is awaited. */
export function nameOf({ input: { releaseId }, caller: { actor } }: Pick<ReleaseRun, 'input' | 'caller'>): string {
  if (actor === DRIFT_MONITOR) return `retraining ${releaseId}, started by drift,`;
  return actor === SCHEDULER ? `scheduled release ${releaseId}` : `release ${releaseId}`;
}

export function notifyOpened(run: ReleaseRun, proposal: Proposal, deadline: string): void {
  const { modelVersion, champion, metrics, gates } = proposal;
  run.notify('approvalOpened', 'approval-opened', {
    ...decidable(run),
    question: `Make version ${modelVersion} live? ${champion === null ? 'Nothing is live.' : `${champion.version} is live.`}`,
    table: comparisonTable(metrics, champion, gates),
    warning: setHere(run),
    deadline,
  });
}

export function remind(run: ReleaseRun, hoursLeft: number, key: string): Promise<void> {
  return run.notifyAsBefore('approvalReminder', key, { ...decidable(run), hoursLeft });
}

/** How a release ended, for those who did not watch it. */
export function notifyEnd(run: ReleaseRun, error?: unknown): void {
  const { model, releaseId } = run.input;
  const { status, why, bundleVersion, generation, modelVersion } = run.progress;
  const what = nameOf(run);
  const ended = { model, what, why: why ?? 'no reason given', again: 'sluice release start --reason WHY' };
  switch (status) {
    case 'Released':
      return run.notify('wentLive', 'live', {
        model,
        what,
        version: bundleVersion ?? '?',
        generation: generation ?? 0,
        figures: `MLflow version ${modelVersion}. The figures: sluice release show ${releaseId}`,
      });
    case 'Superseded':
      return run.notify('superseded', 'superseded', ended);
    case 'Expired':
      return run.notify('approvalExpired', 'approval-expired', { model, what });
    case 'Failed': {
      if (isNoNews(error)) return;
      const type = rootFailureType(error);
      const kind =
        type === 'GateFailed' || type === 'DataCheckFailed' || type === 'NoData'
          ? 'checksFailed'
          : type === 'RolloutFailed'
            ? 'undone'
            : 'runFailed';
      return run.notifyFailure(kind, ended);
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

/** Where this run departs from the model's spec; null: nowhere. */
function setHere({ progress: { overrides = [] } }: ReleaseRun): string | null {
  if (overrides.length === 0) return null;
  const changes = overrides.map(
    ({ name, old, new: now, weakens }) =>
      `${name} is ${now ?? 'none'}, not ${old ?? 'none'}${weakens ? ', which is weaker' : ''}`,
  );
  return `Set for this run only: ${changes.join('; ')}.`;
}
