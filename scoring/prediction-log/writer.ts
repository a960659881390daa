import { Worker } from 'node:worker_threads';
import type { Batch } from './batch.js';
import type { FromLogThread, LogThreadData, ToLogThread } from './thread-protocol.js';
import type { WriteOutcome } from './write.js';

/** Writes batches, one at a time: the caller waits for the answer before the next. */
export interface PredictionWriter {
  /** The batch's buffers are gone afterwards. Fails when it is not known that all was written: it may be tried again, and is written once. */
  write(batch: Batch): Promise<WriteOutcome>;
  /** Ends at once what is under way. */
  close(): Promise<void>;
}

const CLOSE_TIMEOUT_MS = 1_000;

/**
 * A writer whose work happens in a thread of its own, started with the first batch and again after it died.
 * @param file the compiled `log-thread.js`
 */
export function createThreadWriter(
  data: LogThreadData,
  file = new URL('./log-thread.js', import.meta.url),
): PredictionWriter {
  let worker: Worker | null = null;
  let waiting: { resolve: (outcome: WriteOutcome) => void; reject: (error: Error) => void } | null = null;
  const take = () => {
    const taken = waiting;
    waiting = null;
    return taken;
  };

  const start = (): Worker => {
    const started = new Worker(file, { workerData: data, name: 'prediction-log' });
    let cause: unknown;
    started.on('message', (answer: FromLogThread) => {
      if (answer.kind === 'written') take()?.resolve(answer.outcome);
      else take()?.reject(new Error(answer.message));
    });
    started.on('error', (error) => (cause = error));
    started.once('exit', (code) => {
      if (worker === started) worker = null;
      const why = cause instanceof Error ? `: ${cause.message}` : '';
      take()?.reject(new Error(`the prediction log's thread ended with code ${code}${why}`, { cause }));
    });
    return started;
  };
  const send = (to: Worker, message: ToLogThread, transfer: ArrayBuffer[] = []) => to.postMessage(message, transfer);

  return {
    write: (batch) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        worker ??= start();
        const { bodies, features, figures } = batch;
        send(worker, { kind: 'write', batch }, [bodies.buffer, features.buffer, figures.buffer]);
      }),

    async close() {
      const last = worker;
      if (last === null) return;
      const ended = new Promise<void>((resolve) => last.once('exit', () => resolve()));
      if (waiting !== null) void last.terminate();
      else send(last, { kind: 'close' });
      const late = setTimeout(() => void last.terminate(), CLOSE_TIMEOUT_MS);
      await ended;
      clearTimeout(late);
    },
  };
}
