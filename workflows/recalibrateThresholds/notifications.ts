import { typedAsOf } from '../../domain/schedules/as-of.js';
import { isNoNews, rootFailureType } from '../common/reason.js';
import type { ThresholdsInput } from './contract.js';
import type { ThresholdsRun } from './run.js';

/** What a proposal is to people. */
export function nameOf({ key }: Pick<ThresholdsInput, 'key'>): string {
  return `thresholds of ${key}`;
}

/** How a recalibration ended, for those who did not watch it; what a person decided, or nobody did, is told as it happens. */
export function notifyEnd(run: ThresholdsRun, error?: unknown): void {
  const { model, asOf } = run.input;
  const { status, why, bundleVersion, generation } = run.progress;
  const what = nameOf(run.input);
  const ended = {
    model,
    what,
    why: why ?? 'no reason given',
    again: `sluice thresholds propose --as-of ${typedAsOf(asOf)}`,
  };
  if (status === 'Live')
    run.notify('wentLive', 'live', {
      ...{ model, what, version: bundleVersion ?? '?', generation: generation ?? 0, figures: null },
    });
  if (status === 'Superseded') run.notify('superseded', 'superseded', ended);
  if (status === 'Failed' && !isNoNews(error))
    run.notifyFailure(rootFailureType(error) === 'RolloutFailed' ? 'undone' : 'runFailed', ended);
}
