import { WorkflowFailedError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, rootCause, TimeoutFailure } from '@temporalio/common';
import { MODEL_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
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
  const handle = await startOperation(session, operation);
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
    if (cause instanceof TimeoutFailure)
      return new SluiceError('Unreachable', `no answer in time: ${rootCause(error.cause) ?? cause.message}`);
    cause = cause.cause instanceof Error ? cause.cause : undefined;
  }
  return error;
}

/**
 * Starts a run, waits for its result, and says where it can be seen.
 * @throws SluiceError of the type `failsAs`, with the run's reason
 */
export async function runOperation<Result>(
  cli: Cli,
  session: Session,
  {
    failsAs,
    ...operation
  }: Operation & {
    /** the type of the error that a failed run becomes */
    failsAs: FailureType;
  },
): Promise<{ result: Result; url: string }> {
  const handle = await startOperation(session, operation);
  const url = session.uiUrl(operation.workflowId);
  cli.output.line(url);
  cli.interrupted.addEventListener('abort', () => cli.output.error(`it goes on: ${url}`), { once: true });
  try {
    return { result: (await handle.result()) as Result, url };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw new SluiceError(failsAs, `${rootCause(error.cause) ?? error.message}\n${url}`);
  }
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
  const proof = proofOf(cli, { operationId, operation: operation(asked), workflowId });
  return { ...asked, caller: { ...asked.caller, ...proof } };
}

/** Proves that the actor has their token; nothing where they have none. */
export function proofOf(
  cli: Pick<Cli, 'actor' | 'token'>,
  operation: { operationId: string; operation: string; workflowId: string },
): { proof?: string } {
  if (cli.token === null) return {};
  return { proof: decisionProof(cli.token, operationAsDecision({ ...operation, actor: cli.actor })) };
}
