import type { Logger } from 'pino';
import { SluiceError } from '../../../platform/errors.js';
import { answer, JobQueue, joined, type Job } from './job-queue.js';
import { keepThread, type KeptThread } from './kept-thread.js';
import type { ModelOutput } from '../model-output.js';
import { openModelThread, ThreadEnded } from './model-thread.js';
import type { ThreadData } from './thread-protocol.js';

/** One bundle's models: batches rows, and keeps a thread for them. */
export interface ModelRunner {
  /**
   * Scores rows (row by row, `width` values each). Rows of all callers of one tick, and of those who come while a run is under way,
   * go to the models as one batch. Fails with `Unreachable` when the thread cannot be brought back or the queue is too long,
   * with `IntegrityError` when a model answers with something that is not a finite number.
   */
  run(features: Float32Array): Promise<ModelOutput>;
  /** Whether a thread is up; false while a dead one is being replaced. */
  readonly healthy: boolean;
  /** rows that wait */
  readonly queuedRows: number;
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

/**
 * Starts the thread and waits until both sessions exist.
 * @throws SluiceError IntegrityError when the models cannot be opened
 */
export async function startModelRunner(options: ModelRunnerOptions): Promise<ModelRunner> {
  const { models, log, maxBatchRows = 1_024, maxQueuedRows = 50_000, restartDeadlineMs = 5_000 } = options;
  const threadFile = options.threadFile ?? new URL('./onnx-thread.js', import.meta.url);
  const queue = new JobQueue();
  let running = false;
  let scheduled = false;
  let closing: Promise<void> | null = null;
  let onIdle: (() => void) | null = null;

  const flush = (): void => {
    if (running) return;
    if (queue.isEmpty) onIdle?.();
    if (thread.current === null || queue.isEmpty) return;
    const jobs = queue.take(maxBatchRows);
    running = true;
    thread.current.run(joined(jobs)).then(
      (output) => {
        running = false;
        // The next batch leaves before these answers are written, so that the thread does not wait for the event loop.
        flush();
        answer(jobs, output);
      },
      (error: Error) => {
        running = false;
        for (const job of jobs.reverse()) retryOrReject(job, error, queue);
        if (closing !== null && thread.current === null) refuseAtClosing();
        flush();
      },
    );
  };
  const refuseAtClosing = (): void => queue.refuseAll('the model thread ended while the bundle was being closed');

  const thread: KeptThread = await keepThread({
    open: () => openModelThread(models, threadFile),
    deadlineMs: restartDeadlineMs,
    onBack: flush,
    onOverdue: () => queue.refuseAll(`the model thread did not come back within ${restartDeadlineMs} ms; try again`),
    onGone() {
      refuseAtClosing();
      flush();
    },
    log,
  });

  const close = async (): Promise<void> => {
    thread.letGo();
    if (thread.current === null) queue.refuseAll('this bundle is being closed');
    if (running || !queue.isEmpty) await new Promise<void>((resolve) => (onIdle = resolve));
    await thread.close();
  };

  return {
    get healthy() {
      return thread.current !== null;
    },
    get queuedRows() {
      return queue.rows;
    },

    run(features) {
      const rows = features.length / models.width;
      if (!Number.isInteger(rows) || rows === 0) {
        return Promise.reject(
          new SluiceError('InvalidInput', `got ${features.length} values, not a multiple of ${models.width} features`),
        );
      }
      if (closing !== null) return Promise.reject(new SluiceError('Unreachable', 'this bundle is being closed'));
      if (thread.overdue) return Promise.reject(new SluiceError('Unreachable', 'the model thread is down; try again'));
      if (!queue.isEmpty && queue.rows + rows > maxQueuedRows) {
        return Promise.reject(
          new SluiceError('Unreachable', `${queue.rows} rows wait for the models already; try again`),
        );
      }
      return new Promise<ModelOutput>((resolve, reject) => {
        queue.add({ features, rows, crashes: 0, resolve, reject });
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

/** Rows whose run took the thread down are tried once more: it may not have been theirs. */
function retryOrReject(job: Job, error: Error, queue: JobQueue): void {
  if (!(error instanceof ThreadEnded)) return job.reject(error);
  job.crashes += 1;
  if (job.crashes === 1) queue.putBack(job);
  else job.reject(new SluiceError('Unreachable', `${error.message}, twice under these rows`));
}
