import { WorkflowFailedError } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { decisionProof, operationAsDecision } from '../../domain/approval/proof.js';
import type { FailureType } from '../../platform/errors.js';
import { SluiceError } from '../../platform/errors.js';
import { QUEUES } from '../../workflows/common/queues.js';
import type { Cli } from '../cli.js';
import type { Session } from '../session.js';

/** A run that is started and waited for in one go: it asks nobody and is not looked up again. */
export interface Operation {
  workflowType: string;
  workflowId: string;
  input: object;
  summary: string;
  /** the type of the error that a failed run becomes */
  failsAs: FailureType;
}

/**
 * Starts a run, waits for its result, and says where it can be seen.
 * @throws SluiceError of the type `failsAs`, with the run's reason
 */
export async function runOperation<Result>(
  cli: Cli,
  session: Session,
  { workflowType, workflowId, input, summary, failsAs }: Operation,
): Promise<{ result: Result; url: string }> {
  const handle = await session.client.workflow.start(workflowType, {
    taskQueue: QUEUES.release,
    workflowId,
    args: [input],
    staticSummary: summary,
  });
  const url = session.uiUrl(workflowId);
  cli.output.line(url);
  cli.interrupted.addEventListener('abort', () => cli.output.error(`it goes on: ${url}`), { once: true });
  try {
    return { result: (await handle.result()) as Result, url };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    throw new SluiceError(failsAs, `${rootCause(error.cause) ?? error.message}\n${url}`);
  }
}

/** Proves that the actor has their token; nothing where they have none. */
export function proofOf(
  cli: Pick<Cli, 'actor' | 'token'>,
  operation: { operationId: string; operation: string; workflowId: string },
): { proof?: string } {
  if (cli.token === null) return {};
  return { proof: decisionProof(cli.token, operationAsDecision({ ...operation, actor: cli.actor })) };
}
