import { createBackoff } from '../../platform/backoff.js';
import { SluiceError } from '../../platform/errors.js';

/** One kind of work, one round at a time: when it is called for, and in the background, where a failed round is tried again. */
export interface Rounds<T> {
  /** One round that begins after the call. */
  next(): Promise<T>;
  /** Goes round in the background until `stop`. */
  start(): void;
  /** The background's next round now; like any of its rounds it is tried again until it succeeds. */
  nudge(): void;
  readonly stopped: boolean;
  /** No round begins any more; resolves when the one under way has ended. */
  stop(): Promise<void>;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;

/** @param pauseMs how long the background rests after a round that went well */
export function createRounds<T>(round: () => Promise<T>, pauseMs: (result: T) => number): Rounds<T> {
  let running: Promise<T> | null = null;
  let queued: Promise<T> | null = null;
  let stopped = false;
  let woken = false;
  let wake: (() => void) | null = null;
  const wakeUp = (): void => {
    woken = true;
    wake?.();
  };

  const begin = (): Promise<T> => {
    // Here, because what is queued before a stop comes to its turn after it.
    if (stopped) return Promise.reject(new SluiceError('Unreachable', 'this replica is shutting down'));
    const mine = round().finally(() => {
      if (running === mine) running = null;
    });
    running = mine;
    return mine;
  };

  // Rounds never overlap; callers that come during one share the next, since what it looks at may have changed after it looked.
  const next = (): Promise<T> => {
    // Also in the moment between two rounds, when none is running and the next is already promised.
    if (queued !== null) return queued;
    if (running === null) return begin();
    queued = running
      .catch(() => undefined)
      .then(() => {
        queued = null;
        return begin();
      });
    return queued;
  };

  /** Until the time is over, or someone wakes the loop: now, or while it was busy. */
  const pause = async (ms: number): Promise<void> => {
    if (!woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    woken = false;
  };

  const loop = async (): Promise<void> => {
    const backoff = createBackoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);
    while (!stopped) {
      try {
        const result = await next();
        backoff.reset();
        await pause(pauseMs(result));
      } catch {
        await pause(backoff.next());
      }
    }
  };
  let looping: Promise<void> | null = null;

  return {
    next,
    start() {
      looping ??= loop();
    },
    nudge: wakeUp,
    get stopped() {
      return stopped;
    },
    async stop() {
      stopped = true;
      wakeUp();
      await looping;
      await running?.catch(() => undefined);
    },
  };
}
