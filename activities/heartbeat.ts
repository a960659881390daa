import { Context } from '@temporalio/activity';

/** A third of what a worker may be silent for: `HEARTBEAT_TIMEOUT` of workflows/common/proxies.ts. */
const INTERVAL_MS = 3_000;

/**
 * Heartbeats while some work runs, so that the server tells a busy worker from a dead one; the signal aborts when the activity is
 * cancelled. Only inside an activity.
 * @param details what the latest heartbeat says, read anew each time; it shows in Temporal's UI
 */
export async function heartbeating<T>(work: (signal: AbortSignal) => Promise<T>, details?: () => unknown): Promise<T> {
  const context = Context.current();
  const beat = (): void => context.heartbeat(details?.());
  beat();
  const timer = setInterval(beat, INTERVAL_MS);
  try {
    return await work(context.cancellationSignal);
  } finally {
    clearInterval(timer);
  }
}
