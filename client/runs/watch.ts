import { setTimeout as delay } from 'node:timers/promises';
import { ServiceError, WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { SluiceError } from '../../platform/errors.js';
import type { Session } from '../session.js';
import { readProgress } from './access.js';

/** An activity that failed and is tried again: what a watcher should know while nothing else happens. */
export interface Retry {
  activity: string;
  attempt: number;
  failure: string;
}

/** What is being tried again in a run, and in the rollout it waits for. */
export async function pendingRetries(session: Pick<Session, 'client'>, handle: WorkflowHandle): Promise<Retry[]> {
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

/** What a watcher is shown: where the run stands, and, while nothing moves, what is being tried again. */
export interface WatchListener<Progress> {
  progress(progress: Progress): void;
  retry(retry: Retry): void;
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
    if (poll % RETRIES_EVERY_POLLS !== 0) continue;
    for (const retry of await pendingRetries(session, handle).catch(() => [])) {
      const message = `${retry.activity} ${retry.failure}`;
      if (!shown.has(message)) listener.retry(retry);
      shown.add(message);
    }
  }
}
