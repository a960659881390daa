import type { Logger } from 'pino';
import { createBackoff } from '../../platform/backoff.js';
import { packed } from './batch.js';
import { BoundedQueue, type Bounds } from './queue.js';
import type { ScoredRequest } from './scored-request.js';
import type { PredictionWriter } from './writer.js';

/** Predictions since the start; every offered one is in exactly one of the first three. */
export interface PredictionCounters {
  written: number;
  /** for want of room, refused by the database, or left over at a shutdown */
  dropped: number;
  pending: number;
  /** attempts that did not write their batch; each was or will be repeated */
  failed_batches: number;
}

export interface PredictionLogStatus extends PredictionCounters {
  /** why the last attempt failed; null when it did not */
  error: string | null;
  /** some were dropped within the last minutes */
  dropping: boolean;
}

/** Remembers what was scored, off the request's path: `offer` never waits and never fails. */
export interface PredictionLog {
  offer(scored: ScoredRequest): void;
  status(): PredictionLogStatus;
  /** Writes what is pending, for as long as it may take; what is left then is dropped and counted. */
  close(withinMs: number): Promise<void>;
}

export interface PredictionLogOptions {
  writer: PredictionWriter;
  /** of what is held in memory */
  bounds: Bounds;
  log: Pick<Logger, 'warn' | 'error' | 'info'>;
  /** a batch is written when it is full, or this long after its first row came */
  flushMs?: number;
  batch?: Bounds;
}

const FLUSH_MS = 250;
/** a few megabytes: what the thread holds beside the queue */
const BATCH: Bounds = { rows: 1_000, bytes: 2 * 1024 * 1024 };
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 10_000;
const CLOSING_WAIT_MS = 100;
const RECENT_MS = 5 * 60_000;

export function createPredictionLog(options: PredictionLogOptions): PredictionLog {
  const { writer, bounds, log, flushMs = FLUSH_MS, batch = BATCH } = options;
  const queue = new BoundedQueue<ScoredRequest>(bounds);
  let written = 0;
  let dropped = 0;
  let droppedAtMs = -Infinity;
  let failedBatches = 0;
  let error: string | null = null;
  let closing = false;
  let closed = false;
  let looping: Promise<void> | null = null;
  /** ends the present pause */
  let wake: (() => void) | null = null;

  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  const drop = (rows: number, why: string): void => {
    if (rows === 0) return;
    if (performance.now() - droppedAtMs > RECENT_MS) log.error({ why }, 'predictions are dropped from the log');
    dropped += rows;
    droppedAtMs = performance.now();
  };

  const writeNext = async (): Promise<void> => {
    const next = queue.begin(batch);
    try {
      const outcome = await writer.write(packed(next));
      queue.done();
      written += outcome.written;
      drop(outcome.refused, `the database refused them: ${outcome.reason}`);
      if (error !== null) log.info('the prediction log is written again');
      error = null;
    } catch (failure) {
      queue.failed();
      failedBatches += 1;
      if (error === null) log.warn({ err: failure }, 'the prediction log cannot be written; trying again');
      error = failure instanceof Error ? failure.message : String(failure);
    }
  };

  /** Runs while something is pending. */
  const loop = async (): Promise<void> => {
    const backoff = createBackoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);
    while (queue.rows > 0 && !closed) {
      if (!closing && error === null && queue.rows < batch.rows) await pause(flushMs);
      await writeNext();
      if (error === null) backoff.reset();
      else await pause(closing ? CLOSING_WAIT_MS : backoff.next());
    }
    looping = null;
  };

  return {
    offer(scored) {
      if (closed) return drop(scored.rows, 'this replica is shutting down');
      drop(queue.offer(scored), error ?? 'more is scored than can be written');
      if (looping === null && queue.rows > 0) looping = loop();
      // A full batch need not wait; one that fails does.
      if (error === null && queue.rows >= batch.rows) wake?.();
    },

    status: () => ({
      written,
      dropped,
      pending: queue.rows,
      failed_batches: failedBatches,
      error,
      dropping: performance.now() - droppedAtMs < RECENT_MS,
    }),

    async close(withinMs) {
      closing = true;
      wake?.();
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, withinMs)));
      await Promise.race([looping, late]);
      clearTimeout(timer);
      closed = true;
      // Ends what is still under way; whether it was written, nobody knows, and it counts as dropped.
      await writer.close();
      wake?.();
      await looping;
      drop(queue.clear(), `shut down within ${withinMs} ms, which was not enough`);
    },
  };
}
