import { Context } from '@temporalio/activity';
import {
  WorkflowContinuedAsNewError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type Client,
} from '@temporalio/client';
import type { WaitActivities } from './contract.js';
import { heartbeating } from '../heartbeat.js';

export interface TemporalDeps {
  client: Client;
}

export function createWaitActivities({ client }: TemporalDeps): WaitActivities {
  return {
    async waitForWorkflow({ workflowId }) {
      const { cancelled } = Context.current();
      await heartbeating((signal) =>
        Promise.race([cancelled, client.withAbortSignal(signal, () => untilClosed(client, workflowId))]),
      );
    },
  };
}

/** Waits for the run that is open now, however it ends; a run that starts after it is another matter. */
async function untilClosed(client: Client, workflowId: string): Promise<void> {
  try {
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    await client.workflow.getHandle(workflowId, runId, { followRuns: false }).result();
  } catch (error) {
    const ended =
      error instanceof WorkflowFailedError ||
      error instanceof WorkflowContinuedAsNewError ||
      error instanceof WorkflowNotFoundError;
    if (!ended) throw error;
  }
}
