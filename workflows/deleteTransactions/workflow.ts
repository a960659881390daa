import { authorise, operationLog } from '../common/operation.js';
import { answered } from '../common/proxies.js';
import { deleteOperation, STEPS, type DeleteTransactionsInput, type DeleteTransactionsResult } from './contract.js';

/** Deletes transactions of a model by their ids; that they were there, who wanted it and why stays on record. */
export async function deleteTransactions(input: DeleteTransactionsInput): Promise<DeleteTransactionsResult> {
  const { model, ids, operationId, caller } = input;
  const { actor, reason } = caller;
  const log = operationLog(`Delete ${ids.length} transactions of ${model}`, input, STEPS);
  await authorise(log, model, deleteOperation(input), input);
  // Found first, deleted second: the deletion may then be repeated without an error.
  await log.run('find', () => answered.requireTransactions({ model, ids }));
  const at = new Date().toISOString();
  const deleted = await log.run(
    'delete',
    () => answered.deleteTransactions({ model, ids, operationId, actor, reason, at }),
    (rows) => `${rows.length} deleted`,
  );
  return { model, deleted, actor, reason, at };
}
