import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowNotFoundError,
  type WorkflowHandle,
  type WorkflowIdReusePolicy,
} from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { SluiceError } from '../../platform/errors.js';
import { PROGRESS_QUERY } from '../../workflows/common/contract.js';
import type { StepProgress } from '../../workflows/common/progress.js';
import { summaryOf } from '../../workflows/common/summaries.js';
import { QUEUES } from '../../workflows/common/queues.js';
import type { CutOff } from '../exit-codes.js';
import { ROLLOUT_STEP, WORKFLOW as ROLLOUT } from '../../workflows/rolloutBundle/contract.js';
import type { Session } from '../session.js';
import type { RunKind, RunProgress, RunRef, RunStart } from './kind.js';
import { cutOff } from './list.js';

/** Starts a run, or finds the one that has its id already, as the kind's `reuse` and `mayRepeat` say. */
export async function startRun<Ref extends RunRef, Progress extends RunProgress>(
  session: Session,
  kind: RunKind<Ref, Progress>,
  { ref, workflowType, input, summary, searchAttributes, memo }: RunStart<Ref>,
): Promise<{ started: boolean; handle: WorkflowHandle }> {
  const workflowId = kind.workflowId(ref);
  const start = async (workflowIdReusePolicy: WorkflowIdReusePolicy) => ({
    started: true,
    handle: await session.client.workflow.start(workflowType, {
      taskQueue: QUEUES.release,
      workflowId,
      args: [input],
      workflowIdReusePolicy,
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: summaryOf(summary),
      ...(searchAttributes === undefined ? {} : { typedSearchAttributes: new TypedSearchAttributes(searchAttributes) }),
      ...(memo === undefined ? {} : { memo }),
    }),
  });
  try {
    return await start(kind.reuse);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const handle = session.client.workflow.getHandle(workflowId);
    if (kind.mayRepeat === undefined || (await handle.describe()).status.name !== 'COMPLETED')
      return { started: false, handle };
    if (!kind.mayRepeat((await handle.result()) as Progress)) return { started: false, handle };
    return await start('ALLOW_DUPLICATE');
  }
}

/**
 * The run's handle and Temporal's status of it.
 * @throws SluiceError NotFound, with the command that lists those there are
 */
export async function findRun<Ref extends RunRef, Progress extends RunProgress>(
  session: Session,
  kind: RunKind<Ref, Progress>,
  ref: Ref,
): Promise<{ handle: WorkflowHandle; isRunning: boolean; cutOff: CutOff | null }> {
  const handle = session.client.workflow.getHandle(kind.workflowId(ref));
  try {
    const { status } = await handle.describe();
    return { handle, isRunning: status.name === 'RUNNING', cutOff: cutOff(status.name) };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new SluiceError(
        'NotFound',
        `there is no ${kind.noun} ${kind.words(ref)} of ${ref.model}: see \`sluice ${kind.noun} list\``,
      );
    throw error;
  }
}

/** Where a run stands, and below its step `rollout`, while that runs, where the rollout stands. */
export async function readProgress<Progress>(handle: WorkflowHandle): Promise<Progress> {
  const progress = await handle.query<Progress & { steps?: readonly StepProgress[] }>(PROGRESS_QUERY);
  const waiting = progress.steps?.find(({ name, status }) => name === ROLLOUT_STEP && status === 'running');
  // The run learns of its rollout's steps when that has ended. Until then, news of them is worth less than news of the run.
  if (waiting !== undefined) waiting.steps = await runningRollout(handle).catch(() => []);
  return progress;
}

/** The steps of the rollout that a run waits for; none while that has its turn after another one's. */
async function runningRollout(handle: WorkflowHandle): Promise<readonly StepProgress[]> {
  const { raw } = await handle.describe();
  const child = raw.pendingChildren?.find(({ workflowTypeName }) => workflowTypeName === ROLLOUT);
  if (child === undefined) return [];
  return handle.client.getHandle(child.workflowId ?? '', child.runId ?? undefined).query(PROGRESS_QUERY);
}
