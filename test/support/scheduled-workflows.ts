import { ApplicationFailure } from '@temporalio/common';
import { condition, defineSignal, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import { STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

export { launchScheduled } from '../../workflows/launchScheduled/workflow.js';
export { pruneArtifacts } from '../../workflows/pruneArtifacts/workflow.js';
export { sendNotification } from '../../workflows/sendNotification/workflow.js';
export { testNotification } from '../../workflows/testNotification/workflow.js';

/** What a launcher starts, reduced to how it ends: at once, badly, after a while, or after a person's decision. The day of `asOf` says which. */
async function run({ asOf }: { asOf: string }): Promise<string> {
  const day = asOf.slice(0, 10);
  if (day === '2025-03-01') throw ApplicationFailure.nonRetryable('no rows in the window');
  if (day !== '2025-03-02' && day !== '2025-03-03') return asOf;
  let released = false;
  setHandler(defineSignal('release'), () => void (released = true));
  if (day === '2025-03-02') upsertSearchAttributes([{ key: STATUS_ATTRIBUTE, value: 'WaitingForApproval' }]);
  await condition(() => released);
  return asOf;
}
export const nightlyRefresh = run;
export const refreshFxRates = run;
export const monitorDrift = run;
export const recalibrateThresholds = run;
export const releaseModel = run;
