import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { rootCause, type WorkflowIdReusePolicy } from '@temporalio/common';
import { runKey } from '../../domain/runs/key.js';
import {
  driftWorkflowId,
  PROGRESS_QUERY,
  WORKFLOW,
  type DriftInput,
  type DriftProgress,
  type DriftResult,
} from '../../workflows/monitorDrift/contract.js';
import { QUEUES } from '../../workflows/common/queues.js';
import { pendingRetries, type Retry } from '../release/release.js';
import type { Session } from '../session.js';

export function driftInput(model: string, asOf: string, kind: DriftInput['kind']): DriftInput {
  const day = runKey(asOf);
  return { model, asOf, key: kind === 'weekly' ? `weekly-${day}` : day, kind };
}

/** Starts a drift run, or finds the one that has this key: one that ended without a verdict, or failed, is run again. */
export async function startDrift(
  session: Session,
  input: DriftInput,
): Promise<{ started: boolean; handle: WorkflowHandle }> {
  const workflowId = driftWorkflowId(input.model, input.key);
  const start = async (workflowIdReusePolicy: WorkflowIdReusePolicy) => ({
    started: true,
    handle: await session.client.workflow.start(WORKFLOW, {
      taskQueue: QUEUES.release,
      workflowId,
      args: [input],
      workflowIdReusePolicy,
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: `${input.kind === 'weekly' ? 'weekly snapshot' : 'drift'} of ${input.model} as of ${input.asOf}`,
    }),
  });
  try {
    return await start('ALLOW_DUPLICATE_FAILED_ONLY');
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const handle = session.client.workflow.getHandle(workflowId);
    const { status } = await handle.describe();
    if (status.name !== 'COMPLETED' || ((await handle.result()) as DriftResult).status !== 'Inconclusive')
      return { started: false, handle };
    return await start('ALLOW_DUPLICATE');
  }
}

const POLL_MS = 400;
const RETRIES_EVERY_POLLS = 5;

/** Tells of the progress until the run has closed, and returns its result, or why it failed. */
export async function watchDrift(
  session: Session,
  handle: WorkflowHandle,
  listener: { progress(progress: DriftProgress): void; retry(retry: Retry): void },
): Promise<{ result: DriftResult; error: null } | { result: null; error: string }> {
  const closed = handle.result().then(
    (value: unknown) => ({ result: value as DriftResult, error: null }),
    (error: unknown) => {
      if (error instanceof WorkflowFailedError) return { result: null, error: rootCause(error.cause) ?? error.message };
      throw error;
    },
  );
  const told = new Set<string>();
  for (let poll = 1; ; poll += 1) {
    const end = await Promise.race([closed, delay(POLL_MS, null)]);
    const progress = end?.result ?? (await handle.query<DriftProgress>(PROGRESS_QUERY).catch(() => null));
    if (progress !== null) listener.progress(progress);
    if (end !== null) return end;
    if (poll % RETRIES_EVERY_POLLS !== 0) continue;
    for (const retry of await pendingRetries(session, handle)) {
      const news = `${retry.activity} ${retry.failure}`;
      if (!told.has(news)) listener.retry(retry);
      told.add(news);
    }
  }
}
