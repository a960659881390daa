import { executeChild } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { waiting } from '../common/proxies.js';
import { QUEUES } from '../common/queues.js';
import { rolloutId, WORKFLOW, type RolloutInput, type RolloutResult } from './contract.js';

/**
 * Runs the rollout as a child. Its id is a lock: where another rollout holds it, this waits for that one to close. A rollout in flight
 * outlives a parent that is terminated (Abandon), and is told when the parent is cancelled.
 */
export async function runRollout(input: RolloutInput): Promise<RolloutResult> {
  const workflowId = rolloutId(input.model, input.environment);
  for (;;) {
    try {
      return await executeChild<(input: RolloutInput) => Promise<RolloutResult>>(WORKFLOW, {
        args: [input],
        workflowId,
        taskQueue: QUEUES.release,
        parentClosePolicy: 'ABANDON',
        cancellationType: 'WAIT_CANCELLATION_COMPLETED',
        workflowIdReusePolicy: 'ALLOW_DUPLICATE',
        staticSummary: `${input.bundle.version} → ${input.environment}`,
        memo: { release: input.releaseId, bundle: input.bundle.version },
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await waiting.waitForWorkflow({ workflowId });
    }
  }
}
