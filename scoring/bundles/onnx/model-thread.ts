import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { SluiceError } from '../../../platform/errors.js';
import type { ModelOutput } from '../model-output.js';
import type { FromThread, ThreadData, ToThread } from './thread-protocol.js';

/** One worker thread with one bundle's sessions. One run at a time: the caller waits for the answer before the next. */
export interface ModelThread {
  /** The array's buffer is transferred: it is empty afterwards. Fails with `ThreadEnded` when the thread dies under it. */
  run(features: Float32Array<ArrayBuffer>): Promise<ModelOutput>;
  /** Resolves when the thread is gone, however that came. */
  readonly ended: Promise<void>;
  /** Releases the sessions and ends the thread; only while no run is under way. */
  close(): Promise<void>;
}

/** The thread died under a run. */
export class ThreadEnded extends Error {
  override name = 'ThreadEnded';
}

const START_TIMEOUT_MS = 30_000;
const CLOSE_TIMEOUT_MS = 5_000;

/**
 * Starts a thread and waits until both sessions exist.
 * @param file the compiled `onnx-thread.js`
 * @throws SluiceError IntegrityError when the models cannot be opened
 */
export async function openModelThread(data: ThreadData, file: URL): Promise<ModelThread> {
  const worker = new Worker(file, { workerData: data, name: 'onnx' });
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  try {
    const [first] = (await once(worker, 'message', { signal: AbortSignal.timeout(START_TIMEOUT_MS) })) as [FromThread];
    if (first.kind !== 'ready') {
      const why = first.kind === 'unusable' ? first.message : `it said "${first.kind}" before "ready"`;
      throw new SluiceError('IntegrityError', `the bundle's models cannot be opened: ${why}`);
    }
  } catch (error) {
    await worker.terminate();
    throw error;
  }

  let nextId = 0;
  let waiting: { id: number; resolve: (output: ModelOutput) => void; reject: (error: Error) => void } | null = null;
  const take = () => {
    const taken = waiting;
    waiting = null;
    return taken;
  };
  const send = (message: ToThread, transfer: ArrayBuffer[] = []) => worker.postMessage(message, transfer);

  worker.on('message', (message: FromThread) => {
    if ((message.kind !== 'result' && message.kind !== 'failed') || message.id !== waiting?.id) return;
    const run = take();
    if (message.kind === 'result') run?.resolve({ scores: message.scores, anomalies: message.anomalies });
    else run?.reject(new SluiceError('IntegrityError', `the models refused the rows: ${message.message}`));
  });
  let cause: unknown;
  worker.on('error', (error) => (cause = error));
  worker.once('exit', (code) => take()?.reject(new ThreadEnded(`the model thread ended with code ${code}`, { cause })));

  return {
    ended,
    run: (features) =>
      new Promise((resolve, reject) => {
        nextId += 1;
        waiting = { id: nextId, resolve, reject };
        send({ kind: 'run', id: nextId, features }, [features.buffer]);
      }),
    async close() {
      send({ kind: 'close' });
      // Not `terminate` at once: native code that is interrupted under a run can take the whole process down.
      const late = setTimeout(() => void worker.terminate(), CLOSE_TIMEOUT_MS);
      await ended;
      clearTimeout(late);
    },
  };
}
