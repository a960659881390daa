import { WorkflowFailedError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, rootCause, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import { MODEL_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import type { Caller } from '../../domain/approval/caller.js';
import { decisionProof, operationAsDecision } from '../../domain/approval/proof.js';
import type { FailureType } from '../../platform/errors.js';
import { isFailureType, SluiceError } from '../../platform/errors.js';
import { QUEUES } from '../../workflows/common/queues.js';
import type { OperationInput } from '../../workflows/common/operation.js';
import type { Cli } from '../cli.js';
import type { Session } from '../session.js';
import { summaryOf } from '../../workflows/common/summaries.js';

/** A run that is started and waited for in one go: it asks nobody and is not looked up again. */
export interface Operation {
  workflowType: string;
  workflowId: string;
  input: object;
  summary: string;
  model?: string;
}

/** Starts an operation's run. */
export function startOperation(
  { client }: Session,
  { workflowType, workflowId, input, summary, model }: Operation,
): Promise<WorkflowHandle> {
  return client.workflow.start(workflowType, {
    taskQueue: QUEUES.release,
    workflowId,
    args: [input],
    staticSummary: summaryOf(summary),
    ...(model === undefined ? {} : { typedSearchAttributes: [{ key: MODEL_ATTRIBUTE, value: model }] }),
  });
}

/**
 * Starts a run that takes a moment, and waits for its answer.
 * @throws SluiceError of the type with which the run failed
 */
export async function askOperation<Result>(session: Session, operation: Operation): Promise<Result> {
  return resultOf<Result>(await startOperation(session, operation));
}

/**
 * Starts a run that takes longer, says where it can be seen, and waits for its result.
 * @throws SluiceError of the type with which the run failed, with its address
 */
export async function runOperation<Result>(
  cli: Cli,
  session: Session,
  operation: Operation,
): Promise<{ result: Result; url: string }> {
  const handle = await startOperation(session, operation);
  const url = session.uiUrl(operation.workflowId);
  cli.output.line(url);
  cli.interrupted.addEventListener('abort', () => cli.output.error(`it goes on: ${url}`), { once: true });
  try {
    return { result: await resultOf<Result>(handle), url };
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    throw new SluiceError(error.type, `${error.message}\n${url}`, error.details);
  }
}

async function resultOf<Result>(handle: WorkflowHandle): Promise<Result> {
  try {
    return (await handle.result()) as Result;
  } catch (error) {
    throw ownFailure(error);
  }
}

/** What failed in a run, as the run said it; an error that is not of a run passes through. */
export function ownFailure(error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError) && !(error instanceof WorkflowUpdateFailedError)) return error;
  let cause: Error | undefined = error.cause;
  while (cause !== undefined) {
    if (cause instanceof ApplicationFailure && isFailureType(cause.type ?? undefined))
      return new SluiceError(
        cause.type as FailureType,
        cause.message,
        cause.details?.[0] as Record<string, unknown> | undefined,
      );
    if (cause instanceof CancelledFailure || cause instanceof TerminatedFailure)
      return new SluiceError(
        'RunStopped',
        `somebody ${cause instanceof CancelledFailure ? 'cancelled' : 'terminated'} the run`,
      );
    if (cause instanceof TimeoutFailure)
      return new SluiceError('Unreachable', `no answer in time: ${rootCause(error.cause) ?? cause.message}`);
    cause = cause.cause instanceof Error ? cause.cause : undefined;
  }
  return error;
}

/** Names a request, and shows who makes it. */
export function operationBy<Input extends object>(
  cli: Pick<Cli, 'actor' | 'token'>,
  {
    input,
    reason,
    operationId,
    operation,
    workflowId,
  }: {
    input: Input;
    reason: string;
    operationId: string;
    /** what is asked for, as the workflow words it */
    operation: (input: Input & OperationInput) => string;
    workflowId: string;
  },
): Input & OperationInput {
  const asked = { ...input, operationId, caller: { actor: cli.actor, reason } };
  return { ...asked, caller: callerBy(cli, reason, { operationId, operation: operation(asked), workflowId }) };
}

/** Who asks for an operation, with a proof where they have a token. */
export function callerBy(
  cli: Pick<Cli, 'actor' | 'token'>,
  reason: string,
  operation: { operationId: string; operation: string; workflowId: string },
): Caller {
  const { actor, token } = cli;
  if (token === null) return { actor, reason };
  return { actor, reason, proof: decisionProof(token, operationAsDecision({ ...operation, actor })) };
}
