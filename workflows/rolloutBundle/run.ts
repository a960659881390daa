import { executeChild } from '@temporalio/workflow';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { holdsValue } from '../../domain/runs/holds.js';
import { HOLDS_ATTRIBUTE, MODEL_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import { waiting } from '../common/proxies.js';
import { QUEUES } from '../common/queues.js';
import { rolloutId, versionsOf, WORKFLOW, type RolloutInput, type RolloutResult } from './contract.js';

/**
 * Runs the rollout as a child. Its id is a lock: where another rollout holds it, this waits for that one to close. A rollout in flight
 * outlives a parent that is terminated (Abandon), and is cancelled when the parent is.
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
        // Said from the very start, so that nobody deletes either bundle before the rollout has its first turn. Costs no command.
        typedSearchAttributes: new TypedSearchAttributes([
          { key: MODEL_ATTRIBUTE, value: input.model },
          { key: HOLDS_ATTRIBUTE, value: holdsValue(versionsOf(input)) },
        ]),
        staticSummary: `${input.bundle.version} → ${input.environment}`,
        memo: { release: input.releaseId, bundle: input.bundle.version },
      });
    } catch (error) {
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
      await waiting.waitForWorkflow({ workflowId });
    }
  }
}
