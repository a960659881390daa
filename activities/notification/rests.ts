/** So many failures in a row, whichever notifications they were of, and the channel is down. */
const FAILURES = 3;
const REST_MS = 30_000;

/**
 * Which channels are left alone for a moment. While one is down, every notification that waits for it would try it for seconds, and take the
 * worker's time from releases.
 */
export function createRests(now: () => number = Date.now): {
  failed(channel: string): void;
  answered(channel: string): void;
  /** 0: it may be tried */
  leftMs(channel: string): number;
} {
  const channels = new Map<string, { failures: number; until: number }>();
  return {
    failed(channel) {
      const failures = (channels.get(channel)?.failures ?? 0) + 1;
      channels.set(channel, { failures, until: failures >= FAILURES ? now() + REST_MS : 0 });
    },
    answered: (channel) => void channels.delete(channel),
    leftMs: (channel) => Math.max(0, (channels.get(channel)?.until ?? 0) - now()),
  };
}
