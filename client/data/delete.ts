import {
  deleteOperation,
  deleteTransactionsId,
  WORKFLOW,
  type DeleteTransactionsResult,
} from '../../workflows/deleteTransactions/contract.js';
import type { Cli } from '../cli.js';
import { newRunId } from '../runs/id.js';
import { askOperation, operationBy } from '../runs/operation.js';
import type { Session } from '../session.js';

/**
 * Has transactions deleted by the release worker, which asks whether the caller may.
 * @throws SluiceError NotAuthorised; NotFound, naming the ids that are not there: then nothing is deleted
 */
export async function deleteRows(
  cli: Cli,
  session: Session,
  { model, ids, reason }: { model: string; ids: readonly string[]; reason: string },
): Promise<DeleteTransactionsResult & { url: string }> {
  const operationId = newRunId();
  const workflowId = deleteTransactionsId(model, operationId);
  const unique = [...new Set(ids)];
  const result = await askOperation<DeleteTransactionsResult>(session, {
    workflowType: WORKFLOW,
    workflowId,
    input: operationBy(cli, {
      input: { model, ids: unique },
      reason,
      operationId,
      operation: deleteOperation,
      workflowId,
    }),
    summary: `delete ${unique.length} transactions of ${model} by ${cli.actor}: ${reason}`,
    model,
  });
  return { ...result, url: session.uiUrl(workflowId) };
}
