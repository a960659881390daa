import type { DeletedTransaction } from '../../activities/transactions/contract.js';
import type { OperationInput } from '../common/operation.js';

export const WORKFLOW = 'deleteTransactions';
export const STEPS = ['authorise', 'find', 'delete'] as const;

export function deleteTransactionsId(model: string, operationId: string): string {
  return `delete-transactions/${model}/${operationId}`;
}

export interface DeleteTransactionsInput extends OperationInput {
  model: string;
  ids: string[];
}

/** What the caller is authorised for; the proof covers it. */
export function deleteOperation({ model, ids }: DeleteTransactionsInput): string {
  return `delete transactions of ${model}: ${ids.join(', ')}`;
}

export interface DeleteTransactionsResult {
  model: string;
  deleted: DeletedTransaction[];
  actor: string;
  reason: string;
  /** ISO */
  at: string;
}
