import { ApplicationFailure } from '@temporalio/common';
import { condition, defineSignal, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

export { launchScheduled } from '../../workflows/launchScheduled/workflow.js';
export { pruneArtifacts } from '../../workflows/pruneArtifacts/workflow.js';
export { sendNotification } from '../../workflows/sendNotification/workflow.js';
export { testNotification } from '../../workflows/testNotification/workflow.js';

/** Failures that a release or a refresh ends with by its own rules, by the day on which it does. */
const FAILS: Readonly<Record<string, string>> = {
  '2025-04-06': 'GateFailed',
  '2025-04-13': 'DataCheckFailed',
  '2025-04-20': 'NoData',
  '2025-04-27': 'Conflict',
  '2025-05-04': 'Superseded',
};

/** What a launcher starts, reduced to how it ends: at once, badly, after a while, or after a person's decision. The day of `asOf` says which. */
async function run({ asOf, model }: { asOf: string; model: string }): Promise<string> {
  const day = asOf.slice(0, 10);
  if (day === '2025-03-01') throw ApplicationFailure.nonRetryable('no rows in the window');
  const type = FAILS[day];
  if (type !== undefined) throw ApplicationFailure.nonRetryable(`it ends with ${type}`, type);
  if (model === 'unborn') upsertSearchAttributes([{ key: STATUS_ATTRIBUTE, value: 'NothingLive' }]);
  if (day === '2025-05-05') await byHand();
  if (day !== '2025-03-02' && day !== '2025-03-03') return asOf;
  let released = false;
  setHandler(defineSignal('release'), () => void (released = true));
  if (day === '2025-03-02') upsertSearchAttributes([{ key: STATUS_ATTRIBUTE, value: 'WaitingForApproval' }]);
  await condition(() => released);
  return asOf;
}
/** The run of a person who may not ask for it: it fails a while after it began. The schedule's own has a parent. */
async function byHand(): Promise<void> {
  if (workflowInfo().parent !== undefined) return;
  let refused = false;
  setHandler(defineSignal('refuse'), () => void (refused = true));
  await condition(() => refused);
  throw ApplicationFailure.nonRetryable('mallory may not', 'NotAuthorised');
}

export const nightlyRefresh = run;
export const refreshFxRates = run;
export const monitorDrift = run;
export const recalibrateThresholds = run;
export const releaseModel = run;
