import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
  type WorkflowHandle,
} from '@temporalio/client';
import { rootCause, TypedSearchAttributes } from '@temporalio/common';
import { SluiceError } from '../../platform/errors.js';
import {
  PROGRESS_QUERY,
  releaseWorkflowId,
  WORKFLOW,
  type ReleaseInput,
  type ReleaseProgress,
} from '../../workflows/releaseModel/contract.js';
import { QUEUES } from '../../workflows/common/queues.js';
import type { Session } from '../session.js';
import { MODEL_ATTRIBUTE, RELEASE_ATTRIBUTE, STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

/** A readable id nobody has to think of: the time, and four random digits. */
export function newReleaseId(now = new Date()): string {
  const time = now.toISOString().replaceAll(/[-:]/g, '').slice(0, 15).replace('T', '-');
  return `${time}-${randomBytes(2).toString('hex')}`;
}

/** Starts a release, or finds the one that has this id: running or closed, an id is used once. */
export async function startRelease(
  session: Session,
  input: ReleaseInput,
  memo: { stackStartedAt?: Date } = {},
): Promise<{ started: boolean; workflowId: string }> {
  const workflowId = releaseWorkflowId(input.model, input.releaseId);
  try {
    await session.client.workflow.start(WORKFLOW, {
      taskQueue: QUEUES.release,
      workflowId,
      args: [input],
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      workflowIdConflictPolicy: 'FAIL',
      typedSearchAttributes: new TypedSearchAttributes([
        { key: MODEL_ATTRIBUTE, value: input.model },
        { key: RELEASE_ATTRIBUTE, value: input.releaseId },
      ]),
      ...(memo.stackStartedAt === undefined ? {} : { memo: { stackStartedAt: memo.stackStartedAt.toISOString() } }),
      staticSummary: `release ${input.releaseId} of ${input.model} by ${input.requestedBy}: ${input.reason}`,
    });
    return { started: true, workflowId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { started: false, workflowId };
    throw error;
  }
}

/** The release's handle; NotFound with what to do where there is none. */
export async function findRelease(session: Session, model: string, releaseId: string): Promise<WorkflowHandle> {
  const handle = session.client.workflow.getHandle(releaseWorkflowId(model, releaseId));
  try {
    await handle.describe();
    return handle;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError)
      throw new SluiceError(
        'NotFound',
        `no release ${releaseId} of ${model}: \`sluice release list\` shows those there are`,
      );
    throw error;
  }
}

export function readProgress(handle: WorkflowHandle): Promise<ReleaseProgress> {
  return handle.query<ReleaseProgress>(PROGRESS_QUERY);
}

/** An activity that failed and is tried again: what a watcher should know while nothing else happens. */
export interface Retry {
  activity: string;
  attempt: number;
  failure: string;
}

/** What is being tried again in a run, and in the rollout it waits for. */
export async function pendingRetries(session: Session, handle: WorkflowHandle): Promise<Retry[]> {
  const { raw } = await handle.describe();
  const children = (raw.pendingChildren ?? []).map((child) =>
    session.client.workflow.getHandle(child.workflowId ?? ''),
  );
  const below = await Promise.all(children.map((child) => pendingRetries(session, child).catch(() => [])));
  const own = (raw.pendingActivities ?? []).flatMap(({ activityType, attempt, lastFailure }) =>
    lastFailure?.message
      ? [{ activity: activityType?.name ?? '?', attempt: attempt ?? 0, failure: lastFailure.message }]
      : [],
  );
  return [...own, ...below.flat()];
}

const POLL_MS = 400;
const RETRIES_EVERY_POLLS = 5;

/** What a watcher is told: where the run stands, and, while nothing moves, what is being tried again. */
export interface WatchListener<Progress> {
  progress(progress: Progress): void;
  retry(retry: Retry): void;
}

/**
 * Tells of the progress until a run has closed, and returns its end: a release, or any run whose result extends what its query `progress`
 * answers. A worker that is down for a while only delays the news.
 */
export async function watchRun<Progress>(
  session: Session,
  handle: WorkflowHandle,
  listener: WatchListener<Progress>,
): Promise<{ progress: Progress; error: string | null }> {
  const closed = handle.result().then(
    (value: unknown) => ({ progress: value as Progress, error: null }),
    (error: unknown) => {
      if (error instanceof WorkflowFailedError)
        return { progress: null, error: rootCause(error.cause) ?? error.message };
      throw error;
    },
  );
  const told = new Set<string>();
  for (let poll = 1; ; poll += 1) {
    const end = await Promise.race([closed, delay(POLL_MS, null)]);
    const progress = end?.progress ?? (await handle.query<Progress>(PROGRESS_QUERY).catch(() => null));
    if (progress !== null) listener.progress(progress);
    if (end !== null && progress !== null) return { progress, error: end.error };
    if (end !== null)
      throw new SluiceError(
        'Unreachable',
        `the run has ended (${end.error ?? 'well'}), but no release worker answers what it did: \`sluice status\``,
      );
    if (poll % RETRIES_EVERY_POLLS !== 0) continue;
    for (const retry of await pendingRetries(session, handle).catch(() => [])) {
      const news = `${retry.activity} ${retry.failure}`;
      if (!told.has(news)) listener.retry(retry);
      told.add(news);
    }
  }
}

export interface ReleaseSummary {
  releaseId: string;
  model: string;
  kind: 'release' | 'rollback';
  status: string;
  startedAt: string;
  closedAt: string | null;
  workflowId: string;
}

/** Releases and rollbacks, newest first. */
export async function listReleases(session: Session, limit: number): Promise<ReleaseSummary[]> {
  const query = `WorkflowType IN ('releaseModel', 'rollbackRelease')`;
  const found: ReleaseSummary[] = [];
  for await (const info of session.client.workflow.list({ query })) {
    const [kind = '', model = '', releaseId = ''] = info.workflowId.split('/');
    const declared = info.typedSearchAttributes.get(STATUS_ATTRIBUTE);
    found.push({
      releaseId,
      model,
      kind: kind as ReleaseSummary['kind'],
      status: declared ?? info.status.name.toLowerCase(),
      startedAt: info.startTime.toISOString(),
      closedAt: info.closeTime?.toISOString() ?? null,
      workflowId: info.workflowId,
    });
    if (found.length >= limit) break;
  }
  return found.sort((a, b) => b.startedAt.localeCompare(a.startedAt));
}
