/** So many failures in a row, whichever notices they were of, and the channel is down. */
const FAILURES = 3;
const REST_MS = 30_000;

/**
 * Which channels are left alone for a moment. While one is down, every notice that waits for it would try it for seconds, and take the
 * worker's time from releases.
 */
export function createRests(now: () => number = Date.now): {
  failed(sink: string): void;
  answered(sink: string): void;
  /** 0: it may be tried */
  leftMs(sink: string): number;
} {
  const sinks = new Map<string, { failures: number; until: number }>();
  return {
    failed(sink) {
      const failures = (sinks.get(sink)?.failures ?? 0) + 1;
      sinks.set(sink, { failures, until: failures >= FAILURES ? now() + REST_MS : 0 });
    },
    answered: (sink) => void sinks.delete(sink),
    leftMs: (sink) => Math.max(0, (sinks.get(sink)?.until ?? 0) - now()),
  };
}
