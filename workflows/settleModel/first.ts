import { executeChild, isCancellation, log, patched } from '@temporalio/workflow';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { MODEL_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import { PATCHES } from '../common/patches.js';
import { QUEUES } from '../common/queues.js';
import { reasonOf } from '../common/reason.js';
import { rolloutId } from '../rolloutBundle/contract.js';
import { WORKFLOW, type SettleInput, type SettleResult } from './contract.js';

/**
 * Before a change: what a run that was terminated left behind is put right. Where a rollout is under way there is nothing to settle, and
 * its failure holds nothing up: it has told people.
 */
export async function settleFirst(model: string): Promise<void> {
  if (!patched(PATCHES.settlesFirst)) return;
  const environment = 'production';
  try {
    await executeChild<(input: SettleInput) => Promise<SettleResult>>(WORKFLOW, {
      args: [{ model, environment }],
      workflowId: rolloutId(model, environment),
      taskQueue: QUEUES.release,
      parentClosePolicy: 'ABANDON',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      typedSearchAttributes: new TypedSearchAttributes([{ key: MODEL_ATTRIBUTE, value: model }]),
      staticSummary: 'what stopped runs left behind',
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    if (!(error instanceof WorkflowExecutionAlreadyStartedError))
      log.warn('what stopped runs left behind could not be looked at', { error: reasonOf(error) });
  }
}
