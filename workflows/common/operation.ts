import { ApplicationFailure } from '@temporalio/common';
import { setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import { escapeMarkdown } from '../../domain/markdown/escape.js';
import type { Called } from './caller.js';
import { page, requestLine, stepsTable } from './details.js';
import { StepLog } from './progress.js';
import { shortCalls } from './proxies.js';

/** What every workflow is given that does one thing for an operator. */
export interface OperationInput extends Called {
  /** names the request, for the record of who was let */
  operationId: string;
}

/** The steps of an operation, shown on its page in Temporal's UI. */
export function operationLog(title: string, { caller }: OperationInput, steps: readonly string[]): StepLog {
  const log = new StepLog(steps, () =>
    setCurrentDetails(page(escapeMarkdown(title), requestLine(caller), stepsTable(log.steps))),
  );
  return log;
}

/**
 * Goes on when the caller may operate; the answer is on record either way.
 * @param model whose record it is; `*` for what concerns all models
 * @param operation what the caller wants, exactly as the proof words it
 * @throws ApplicationFailure NotAuthorised
 */
export async function requireOperator(
  model: string,
  operation: string,
  { operationId, caller }: OperationInput,
): Promise<void> {
  const answer = await shortCalls.authorizeOperation({
    model,
    workflowId: workflowInfo().workflowId,
    operation,
    operationId,
    ...caller,
  });
  if (!answer.allowed) throw ApplicationFailure.nonRetryable(answer.why, 'NotAuthorised');
}

/** The step `authorise`: goes on when the caller may operate, as `requireOperator`. */
export function authorise(log: StepLog, model: string, operation: string, input: OperationInput): Promise<void> {
  return log.run(
    'authorise',
    () => requireOperator(model, operation, input),
    () => input.caller.actor,
  );
}
