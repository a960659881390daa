import { ApplicationFailure } from '@temporalio/common';
import { defineQuery, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import type { PruneResult } from '../../activities/retention/contract.js';
import { StepLog } from '../common/progress.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import { pruneOperation, PROGRESS_QUERY, STEPS, type PruneInput, type PruneProgress } from './contract.js';

/** Keeps the last N: what nothing names any more is deleted, oldest first. A person must be an operator; a schedule was set up by one. */
export async function pruneArtifacts(input: PruneInput): Promise<PruneProgress> {
  const progress: PruneProgress = { steps: [], result: null };
  const log = new StepLog(STEPS, () => setCurrentDetails(describe(input, progress)));
  progress.steps = log.steps;
  setHandler(defineQuery<PruneProgress>(PROGRESS_QUERY), () => progress);

  const scheduled = workflowInfo().parent !== undefined;
  if (!scheduled)
    await log.run(
      'authorise',
      () => authorise(input),
      () => input.requestedBy,
    );
  const { model, keep, olderThanDays } = input;
  progress.result = await log.run(
    'prune',
    () =>
      bulkIo.pruneArtifacts({
        model,
        now: new Date().toISOString(),
        ...(keep === undefined ? {} : { keep }),
        ...(olderThanDays === undefined ? {} : { olderThanDays }),
      }),
    ({ deleted, kept }) => `${deleted.length} deleted, ${kept} kept`,
  );
  log.close();
  return progress;
}

async function authorise(input: PruneInput): Promise<void> {
  const { model, requestedBy, reason, operation } = input;
  if (operation === undefined)
    throw ApplicationFailure.nonRetryable('a person who prunes must name the operation', 'InvalidInput');
  const answer = await shortCalls.authorizeOperation({
    model,
    workflowId: workflowInfo().workflowId,
    operation: pruneOperation(input),
    operationId: operation.operationId,
    actor: requestedBy,
    reason,
    ...(operation.proof === undefined ? {} : { proof: operation.proof }),
  });
  if (!answer.allowed) throw ApplicationFailure.nonRetryable(answer.why, 'NotAuthorised');
}

function describe(input: PruneInput, { steps, result }: PruneProgress): string {
  return [
    `Old artifacts of **${input.model}**, by ${input.requestedBy}: ${input.reason}`,
    '',
    ...steps.map((step) => `- ${step.name}: ${step.status} ${step.detail ?? ''}`),
    ...deletedLines(result),
  ].join('\n');
}

const SHOWN = 50;
function deletedLines(result: PruneResult | null): string[] {
  if (result === null || result.deleted.length === 0) return [];
  return ['', ...result.deleted.slice(0, SHOWN).map(({ kind, name, bytes }) => `- ${kind} ${name} (${bytes} bytes)`)];
}
