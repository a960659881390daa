import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import type { Label, RecordedLabels } from '../../stores/labels.js';
import {
  FINISH_SIGNAL,
  importLabelsId,
  importOperation,
  RECORD_UPDATE,
  WORKFLOW,
  type LabelBatch,
  type RecordedBatch,
} from '../../workflows/importLabels/contract.js';
import type { Cli } from '../cli.js';
import { newRunId } from '../runs/id.js';
import { operationBy, ownFailure, startOperation } from '../runs/operation.js';
import type { Session } from '../session.js';

export interface LabelSender {
  /** Has one batch recorded; one after another. */
  record(labels: Label[]): Promise<RecordedLabels>;
  /** Ends the run, if one began, and the session. */
  close(): Promise<void>;
}

/** a batch that comes while a run gives way to the next one is sent again */
const RETRIES = 10;
const RETRY_MS = 200;

/** Sends labels to a run of `importLabels`, which begins with the first batch. */
export function labelSender(cli: Cli, session: Session, model: string): LabelSender {
  const operationId = newRunId();
  const workflowId = importLabelsId(model, operationId);
  const reason = 'imported from the command line';
  let handle: WorkflowHandle | null = null;
  let index = 0;

  const start = async (): Promise<WorkflowHandle> => {
    await startOperation(session, {
      workflowType: WORKFLOW,
      workflowId,
      input: operationBy(cli, { input: { model }, reason, operationId, operation: importOperation, workflowId }),
      summary: `import labels by ${cli.actor}`,
      model,
    });
    // Whichever run goes on from the first.
    return session.client.workflow.getHandle(workflowId);
  };

  const send = async (batch: LabelBatch): Promise<RecordedBatch> => {
    handle ??= await start();
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await handle.executeUpdate<RecordedBatch, [LabelBatch]>(RECORD_UPDATE, { args: [batch] });
      } catch (error) {
        if (error instanceof WorkflowUpdateFailedError || attempt === RETRIES) throw ownFailure(error);
        if ((await handle.describe()).status.name !== 'RUNNING') {
          await handle.result().catch((why: unknown) => Promise.reject(ownFailure(why) as Error));
          throw error;
        }
        await delay(RETRY_MS);
      }
    }
  };

  return {
    async record(labels) {
      const rows = labels.map((label) => ({ ...label, labeled_at: label.labeled_at.toISOString() }));
      const recorded = await send({ index, labels: rows });
      index += 1;
      return recorded;
    },
    async close() {
      // A run that failed takes no signal, and has ended.
      await handle?.signal(FINISH_SIGNAL).catch(() => undefined);
      await session.close();
    },
  };
}
