import { isNoNews, rootFailureType } from '../common/reason.js';
import type { RollbackRun } from './run.js';

/** What a rollback is to people. */
export function nameOf({ input, caller }: Pick<RollbackRun, 'input' | 'caller'>): string {
  const { environment, version } = input;
  return `the rollback of ${environment} to ${version ?? 'the last good bundle'} by ${caller.actor}`;
}

/** That a rollback did not happen: whoever asked for it relies on it. What was refused at once is told to them alone. */
export function notifyEnd(run: RollbackRun, why: string, error: unknown): void {
  const { model, version } = run.input;
  const again = `sluice rollback${version === null ? '' : ` ${version}`} --reason WHY`;
  const ended = { model, what: nameOf(run), why, again };
  const type = rootFailureType(error);
  if (type === 'Superseded') return run.notify('superseded', 'superseded', ended);
  if (type === 'RolloutFailed') return run.notifyFailure('undone', ended);
  if (!isNoNews(error) && type !== 'NotFound' && type !== 'Conflict') run.notifyFailure('runFailed', ended);
}
