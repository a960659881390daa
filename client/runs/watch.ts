import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { optionalTsToMs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { SluiceError } from '../../platform/errors.js';
import type { Session } from '../session.js';
import { readProgress } from './access.js';

/** An activity that failed and is tried again: what a watcher should know while nothing else happens. */
export interface Retry {
  activity: string;
  attempt: number;
  failure: string;
}

/** An activity that no worker has begun yet. */
export interface Queued {
  activity: string;
  /** ISO */
  since: string;
}

export interface PendingWork {
  retries: readonly Retry[];
  queued: readonly Queued[];
}

/** Less is the way of a task to its worker, not a queue. */
const QUEUED_AFTER_MS = 2_000;

/** What is being tried again and what waits for a free worker in a run, and in the rollout it waits for. */
export async function pendingWork(
  session: Pick<Session, 'client'>,
  handle: WorkflowHandle,
  now = Date.now(),
): Promise<PendingWork> {
  const { raw } = await handle.describe();
  const children = (raw.pendingChildren ?? []).map((child) =>
    session.client.workflow.getHandle(child.workflowId ?? ''),
  );
  const below = await Promise.all(children.map((child) => pendingWork(session, child, now).catch(() => null)));
  const pending = (raw.pendingActivities ?? []).map((one) => ({ ...one, activity: one.activityType?.name ?? '?' }));
  const retries = pending.flatMap(({ activity, attempt, lastFailure }) =>
    lastFailure?.message ? [{ activity, attempt: attempt ?? 0, failure: lastFailure.message }] : [],
  );
  const queued = pending.flatMap(({ activity, attempt, state, scheduledTime }) => {
    if (state !== SCHEDULED || (attempt ?? 1) > 1) return [];
    const since = optionalTsToMs(scheduledTime) ?? now;
    return now - since < QUEUED_AFTER_MS ? [] : [{ activity, since: new Date(since).toISOString() }];
  });
  return {
    retries: [...retries, ...below.flatMap((one) => one?.retries ?? [])],
    queued: [...queued, ...below.flatMap((one) => one?.queued ?? [])],
  };
}

const SCHEDULED = proto.temporal.api.enums.v1.PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED;
const POLL_MS = 400;
const PENDING_EVERY_POLLS = 5;

/** What a watcher is shown: where the run stands, and, while nothing moves, what is being tried again and what waits for a worker. */
export interface WatchListener<Progress> {
  progress(progress: Progress): void;
  retry(retry: Retry): void;
  /** all that is queued now, maybe nothing */
  queued(queued: readonly Queued[]): void;
}

/**
 * Tells of the progress until a run has closed, and returns its end: any run whose result extends what its query `progress` answers. A worker or a
 * server that is down for a while only delays what is shown.
 * @param signal ends the watching, not the run: rejects with its reason
 * @throws SluiceError Unreachable where the run has ended and no worker can say how
 */
export async function watchRun<Progress>(
  session: Pick<Session, 'client'>,
  handle: WorkflowHandle,
  listener: WatchListener<Progress>,
  signal: AbortSignal,
  pollMs = POLL_MS,
): Promise<{ progress: Progress; error: string | null }> {
  const closed = handle.result().then(
    (value: unknown) => ({ progress: value as Progress, error: null }),
    (error: unknown) => {
      if (error instanceof WorkflowFailedError)
        return { progress: null, error: rootCause(error.cause) ?? error.message };
      if (error instanceof ServiceError)
        throw new SluiceError(
          'Unreachable',
          `Temporal does not answer any more (${error.message}); the run goes on without it being watched`,
        );
      throw error;
    },
  );
  const shown = new Set<string>();
  for (let poll = 1; ; poll += 1) {
    const end = await Promise.race([closed, delay(pollMs, null, { signal })]);
    const progress = end?.progress ?? (await readProgress<Progress>(handle).catch(() => null));
    signal.throwIfAborted();
    if (progress !== null) listener.progress(progress);
    if (end !== null && progress !== null) return { progress, error: end.error };
    if (end !== null)
      throw new SluiceError(
        'Unreachable',
        `the run has finished${end.error === null ? '' : ` (${end.error})`}, but its result cannot be read: no release worker is running; see \`sluice status\``,
      );
    if (poll % PENDING_EVERY_POLLS !== 0) continue;
    const pending = await pendingWork(session, handle).catch(() => null);
    if (pending !== null) listener.queued(pending.queued);
    for (const retry of pending?.retries ?? []) {
      const message = `${retry.activity} ${retry.failure}`;
      if (!shown.has(message)) listener.retry(retry);
      shown.add(message);
    }
  }
}
