import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { InvalidArgumentError } from 'commander';
import type { RefreshJob } from '../../domain/refresh/types.js';
import { SluiceError } from '../../platform/errors.js';
import { QUEUES } from '../../workflows/common/queues.js';
import {
  JOB_WORKFLOWS,
  JOBS,
  NIGHTLY_WORKFLOW,
  refreshWorkflowId,
  type RefreshRunInput,
} from '../../workflows/refresh/contract.js';
import type { Session } from '../session.js';
import { STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

export function parseJob(text: string): RefreshJob {
  const job = JOBS.find((one) => one === text);
  if (job === undefined) throw new InvalidArgumentError(`must be one of ${JOBS.join(', ')}.`);
  return job;
}

/**
 * Starts a night or one of its jobs, or finds the one that runs under this key. A run that has ended may be run again: jobs answer from what
 * they stored, and what is live already is not published twice.
 */
export async function startRefresh(
  session: Session,
  input: RefreshRunInput & { requestedBy: string },
  job: RefreshJob | null,
): Promise<{ started: boolean; handle: WorkflowHandle }> {
  const workflowId = refreshWorkflowId(input.model, input.key, job);
  try {
    const handle = await session.client.workflow.start(job === null ? NIGHTLY_WORKFLOW : JOB_WORKFLOWS[job], {
      taskQueue: QUEUES.release,
      workflowId,
      args: [input],
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      staticSummary: `${job ?? 'nightly refresh'} of ${input.model} as of ${input.asOf}, by ${input.requestedBy}`,
    });
    return { started: true, handle };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    return { started: false, handle: session.client.workflow.getHandle(workflowId) };
  }
}

/** The run's handle; NotFound with what to do where there is none. */
export async function findRefresh(
  session: Session,
  model: string,
  key: string,
  job: RefreshJob | null,
): Promise<WorkflowHandle> {
  const handle = session.client.workflow.getHandle(refreshWorkflowId(model, key, job));
  try {
    await handle.describe();
    return handle;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new SluiceError(
        'NotFound',
        `no refresh ${key}${job === null ? '' : ` of ${job} alone`} of ${model}: \`sluice refresh list\` shows those there are`,
      );
    throw error;
  }
}

export interface RefreshEntry {
  key: string;
  /** null: the whole night */
  job: string | null;
  model: string;
  status: string;
  startedAt: string;
  closedAt: string | null;
  workflowId: string;
}

/** Nights and jobs that ran alone, newest first; the jobs inside a night are in the night's own view. */
export async function listRefreshes(session: Session, limit: number): Promise<RefreshEntry[]> {
  const types = [NIGHTLY_WORKFLOW, ...Object.values(JOB_WORKFLOWS)].map((name) => `'${name}'`).join(', ');
  const found: RefreshEntry[] = [];
  for await (const info of session.client.workflow.list({ query: `WorkflowType IN (${types})` })) {
    if (found.length >= limit) break;
    const ofNight = info.parentExecution?.workflowId?.startsWith('refresh/') === true;
    if (ofNight) continue;
    const [, model = '', key = '', job = null] = info.workflowId.split('/');
    const status = info.status.name.toLowerCase();
    found.push({
      key,
      job,
      model,
      // A run that was terminated has no last word of its own.
      status: ['running', 'completed', 'failed'].includes(status)
        ? (info.typedSearchAttributes.get(STATUS_ATTRIBUTE) ?? status)
        : status,
      startedAt: info.startTime.toISOString(),
      closedAt: info.closeTime?.toISOString() ?? null,
      workflowId: info.workflowId,
    });
  }
  return found.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
}
