/** How long to wait before the next try of something that goes on for ever. */
export interface Backoff {
  /** nothing has failed since the start or the last reset */
  readonly fresh: boolean;
  /** milliseconds; about twice as long each time */
  next(): number;
  /** after a try that went well */
  reset(): void;
}

/** Waits that double up to a limit, each spread by half, so that many processes do not come back to a server that has just recovered all at once. */
export function createBackoff(firstMs: number, maxMs: number): Backoff {
  let ms = firstMs;
  return {
    get fresh() {
      return ms === firstMs;
    },
    next() {
      const spread = ms * (0.5 + Math.random());
      ms = Math.min(ms * 2, maxMs);
      return spread;
    },
    reset() {
      ms = firstMs;
    },
  };
}
