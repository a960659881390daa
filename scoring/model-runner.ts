import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { createBackoff } from '../platform/backoff.js';
import { SluiceError } from '../platform/errors.js';
import { type ModelOutput, type ModelThread, openModelThread, ThreadEnded } from './model-thread.js';
import type { ThreadData } from './thread-protocol.js';

/** One bundle's models: batches rows, and replaces the thread when it dies. */
export interface ModelRunner {
  /**
   * Scores rows (row by row, `width` values each). Rows of all callers of one tick, and of those who come while a run is under way,
   * go to the models as one batch. Fails with `Unreachable` when the thread cannot be brought back or the queue is too long,
   * with `IntegrityError` when a model answers with something that is not a finite number.
   */
  run(features: Float32Array): Promise<ModelOutput>;
  /** Whether a thread is up; false while a dead one is being replaced. */
  readonly healthy: boolean;
  /** Waits for the rows under way, releases the sessions and ends the thread. */
  close(): Promise<void>;
}

export interface ModelRunnerOptions {
  models: ThreadData;
  log: Logger;
  /** The compiled `onnx-thread.js`; tests that run from TypeScript pass their own. */
  threadFile?: URL | undefined;
  /** rows in one run of the models; what is over waits for the next */
  maxBatchRows?: number;
  /** rows that may wait before further ones are refused */
  maxQueuedRows?: number;
  /** how long rows may wait for a dead thread's successor */
  restartDeadlineMs?: number;
}

interface Job {
  features: Float32Array;
  rows: number;
  /** how often its run took the thread down: it is tried once more, then given up, for it may be the cause */
  crashes: number;
  resolve: (output: ModelOutput) => void;
  reject: (error: Error) => void;
}

const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 5_000;

/**
 * Starts the thread and waits until both sessions exist.
 * @throws SluiceError IntegrityError when the models cannot be opened
 */
export async function startModelRunner(options: ModelRunnerOptions): Promise<ModelRunner> {
  const { models, log, maxBatchRows = 1_024, maxQueuedRows = 50_000, restartDeadlineMs = 5_000 } = options;
  const threadFile = options.threadFile ?? new URL('./onnx-thread.js', import.meta.url);

  /** null while there is none; then `overdue` says that rows should not wait for it any longer */
  let thread: ModelThread | null = null;
  let overdue = false;
  let queue: Job[] = [];
  let queuedRows = 0;
  let running = false;
  let scheduled = false;
  let closing: Promise<void> | null = null;
  let onIdle: (() => void) | null = null;

  const enqueue = (job: Job, place: 'first' | 'last'): void => {
    queue = place === 'first' ? [job, ...queue] : queue;
    if (place === 'last') queue.push(job);
    queuedRows += job.rows;
  };

  const nextBatch = (): Job[] => {
    let rows = 0;
    let count = 0;
    for (const job of queue) {
      if (count > 0 && rows + job.rows > maxBatchRows) break;
      rows += job.rows;
      count += 1;
    }
    const batch = queue.slice(0, count);
    queue = queue.slice(count);
    queuedRows -= rows;
    return batch;
  };

  const refuseQueued = (why: string): void => {
    const jobs = queue;
    queue = [];
    queuedRows = 0;
    for (const job of jobs) job.reject(new SluiceError('Unreachable', why));
  };

  const flush = (): void => {
    if (running) return;
    if (queue.length === 0) onIdle?.();
    if (thread === null || queue.length === 0) return;
    const jobs = nextBatch();
    const features = new Float32Array(jobs.reduce((sum, job) => sum + job.features.length, 0));
    let offset = 0;
    for (const job of jobs) {
      features.set(job.features, offset);
      offset += job.features.length;
    }
    running = true;
    thread.run(features).then(
      (output) => {
        running = false;
        // The next batch leaves before these answers are written, so that the thread does not wait for the event loop.
        flush();
        let row = 0;
        for (const job of jobs) {
          settle(job, output.scores.subarray(row, row + job.rows), output.anomalies.subarray(row, row + job.rows));
          row += job.rows;
        }
      },
      (error: Error) => {
        running = false;
        for (const job of jobs.reverse()) {
          job.crashes += error instanceof ThreadEnded ? 1 : 0;
          if (error instanceof ThreadEnded && job.crashes === 1) enqueue(job, 'first');
          else
            job.reject(
              error instanceof ThreadEnded
                ? new SluiceError('Unreachable', `${error.message}, twice under these rows`)
                : error,
            );
        }
        if (closing !== null && thread === null)
          refuseQueued('the model thread ended while the bundle was being closed');
        flush();
      },
    );
  };

  const adopt = (opened: ModelThread): void => {
    thread = opened;
    overdue = false;
    void opened.ended.then(() => {
      if (thread !== opened) return;
      thread = null;
      if (closing !== null) {
        refuseQueued('the model thread ended while the bundle was being closed');
        flush();
        return;
      }
      log.error('model thread ended; starting another');
      void replace();
    });
    flush();
  };

  const replace = async (): Promise<void> => {
    const deadline = setTimeout(() => {
      overdue = true;
      refuseQueued(`the model thread did not come back within ${restartDeadlineMs} ms; try again`);
    }, restartDeadlineMs);
    const backoff = createBackoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);
    while (thread === null && closing === null) {
      try {
        const opened = await openModelThread(models, threadFile);
        if (closing !== null) await opened.close();
        else adopt(opened);
        log.info('model thread is back');
      } catch (error) {
        const retryInMs = backoff.next();
        log.error({ err: error, retryInMs }, 'model thread could not be started');
        await delay(retryInMs);
      }
    }
    clearTimeout(deadline);
  };

  const close = async (): Promise<void> => {
    if (thread === null) refuseQueued('this bundle is being closed');
    if (running || queue.length > 0) await new Promise<void>((resolve) => (onIdle = resolve));
    const last = thread;
    thread = null;
    await last?.close();
  };

  adopt(await openModelThread(models, threadFile));

  return {
    get healthy() {
      return thread !== null;
    },

    run(features) {
      const rows = features.length / models.width;
      if (!Number.isInteger(rows) || rows === 0) {
        return Promise.reject(
          new SluiceError('InvalidInput', `got ${features.length} values, not a multiple of ${models.width} features`),
        );
      }
      if (closing !== null) return Promise.reject(new SluiceError('Unreachable', 'this bundle is being closed'));
      if (overdue) return Promise.reject(new SluiceError('Unreachable', 'the model thread is down; try again'));
      if (queue.length > 0 && queuedRows + rows > maxQueuedRows) {
        return Promise.reject(
          new SluiceError('Unreachable', `${queuedRows} rows wait for the models already; try again`),
        );
      }
      return new Promise<ModelOutput>((resolve, reject) => {
        enqueue({ features, rows, crashes: 0, resolve, reject }, 'last');
        if (scheduled || running) return;
        scheduled = true;
        // After this tick's other requests have been read: they ride along.
        setImmediate(() => {
          scheduled = false;
          flush();
        });
      });
    },

    close: () => (closing ??= close()),
  };
}

function settle(job: Job, scores: Float32Array, anomalies: Float32Array): void {
  const row = scores.findIndex((score, index) => !Number.isFinite(score) || !Number.isFinite(anomalies[index]));
  if (row === -1) job.resolve({ scores, anomalies });
  else
    job.reject(
      new SluiceError(
        'IntegrityError',
        `the models answered row ${row} with ${scores[row]} and ${anomalies[row]}: not finite numbers`,
      ),
    );
}
