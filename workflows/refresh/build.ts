import { executeChild, isCancellation, workflowInfo } from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { BundleId } from '../../domain/bundle/id.js';
import type { RefreshedArtifact, RefreshJob } from '../../domain/refresh/types.js';
import { refreshJobs } from '../common/proxies.js';
import { QUEUES } from '../common/queues.js';
import { reasonOf } from '../common/reason.js';
import { JOB_WORKFLOWS, refreshWorkflowId, type RefreshJobRunInput, type RefreshResult } from './contract.js';
import type { RefreshRun } from './run.js';

const ACTIVITY = {
  merchantFrequency: 'refreshMerchantFrequency',
  categoryStats: 'refreshCategoryStats',
  fxRates: 'refreshFxRates',
  synonyms: 'refreshSynonyms',
} as const satisfies Record<RefreshJob, keyof typeof refreshJobs>;

/** Makes the artifacts of one job, here. */
export async function buildHere(run: RefreshRun, job: RefreshJob, live: BundleId): Promise<void> {
  const { model, asOf, key } = run.input;
  await recorded(run, job, () => refreshJobs[ACTIVITY[job]]({ model, asOf, key, live }));
}

/** Makes the artifacts of every job side by side, each as a child; resolves when all have ended, also those that failed. */
export async function buildAll(run: RefreshRun, jobs: readonly RefreshJob[], live: BundleId): Promise<void> {
  const ends = await Promise.allSettled(jobs.map((job) => recorded(run, job, () => buildInChild(run, job, live))));
  const failures = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason as Error] : []));
  const cancelled = failures.find(isCancellation);
  if (cancelled !== undefined) throw cancelled;
  if (failures.length === jobs.length) throw failures[0] as Error;
}

async function recorded(run: RefreshRun, job: RefreshJob, make: () => Promise<RefreshedArtifact[]>): Promise<void> {
  run.updateJob(job, { state: 'running' });
  try {
    run.made(job, await make());
  } catch (error) {
    run.updateJob(job, { state: 'failed', error: reasonOf(error) });
    throw error;
  }
}

async function buildInChild(run: RefreshRun, job: RefreshJob, live: BundleId): Promise<RefreshedArtifact[]> {
  const { model, asOf, key } = run.input;
  const input: RefreshJobRunInput = {
    model,
    asOf,
    key,
    caller: run.caller,
    partOf: { workflowId: workflowInfo().workflowId, live },
  };
  try {
    const { jobs } = await executeChild<(input: RefreshJobRunInput) => Promise<RefreshResult>>(JOB_WORKFLOWS[job], {
      args: [input],
      workflowId: refreshWorkflowId(model, key, job),
      taskQueue: QUEUES.release,
      parentClosePolicy: 'REQUEST_CANCEL',
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      staticSummary: `${job} as of ${asOf}`,
    });
    return jobs.flatMap(({ artifacts }) => artifacts);
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // Somebody runs this job alone just now, and it may wait for a person. Both get the same artifacts, whoever is first.
    return refreshJobs[ACTIVITY[job]]({ model, asOf, key, live });
  }
}
