import { ApplicationFailure } from '@temporalio/common';
import { workflowInfo } from '@temporalio/workflow';
import { callerOf } from '../common/caller.js';
import { requireOperator } from '../common/operation.js';
import { bulkIo } from '../common/proxies.js';
import { Run } from '../common/run.js';
import { pruneOperation, STEPS, type PruneInput, type PruneProgress } from './contract.js';
import { describePrune } from './details.js';

type PruneRun = Run<(typeof STEPS)[number], PruneProgress>;

/** Keeps the last N: what nothing names any more is deleted, oldest first. A person must be an operator; a schedule was set up by one. */
export async function pruneArtifacts(input: PruneInput): Promise<PruneProgress> {
  const run: PruneRun = new Run<(typeof STEPS)[number], PruneProgress>({
    model: input.model,
    steps: STEPS,
    progress: (steps) => ({ status: 'Running', steps, result: null, why: null }),
    describe: (progress) => describePrune(input, progress),
    upsertedBefore: false,
  });
  try {
    await prune(input, run);
  } catch (error) {
    run.fail(error);
    throw error;
  }
  run.end('Pruned', null);
  return run.progress;
}

async function prune(input: PruneInput, run: PruneRun): Promise<void> {
  const scheduled = workflowInfo().parent !== undefined;
  if (!scheduled)
    await run.step(
      'authorise',
      () => authorise(input),
      () => callerOf(input).actor,
    );
  const { model, keep, olderThanDays } = input;
  const result = await run.step(
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
  run.update({ result });
}

/** Inputs of before 2026-11-24 have it under `operation`. */
function operationIdOf(input: PruneInput & { operation?: { operationId?: string } }): string | undefined {
  return input.operationId ?? input.operation?.operationId;
}

async function authorise(input: PruneInput): Promise<void> {
  const operationId = operationIdOf(input);
  if (operationId === undefined)
    throw ApplicationFailure.nonRetryable('/operationId: a person who prunes must name the operation', 'InvalidInput');
  await requireOperator(input.model, pruneOperation(input), { operationId, caller: callerOf(input) });
}
