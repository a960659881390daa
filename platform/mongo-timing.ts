import { channel } from 'node:diagnostics_channel';

/** An aggregation that MongoDB has answered. */
export interface TimedAggregation {
  collection: string;
  seconds: number;
}

/**
 * Where stores tell how long MongoDB took: they are used by processes that export nothing, too, and know nobody who measures. The driver's own
 * command monitoring would unpack every reply a second time.
 */
const aggregations = channel('sluice.mongo.aggregation');

/** Tells of an aggregation that has been answered; costs nothing where nobody listens. */
export function tellAggregation(collection: string, seconds: number): void {
  if (aggregations.hasSubscribers) aggregations.publish({ collection, seconds } satisfies TimedAggregation);
}

/** Waits for an aggregation's only reply, and tells how long it took. */
export async function timedAggregation<T>(collection: string, answer: () => Promise<T>): Promise<T> {
  const startedAt = performance.now();
  const value = await answer();
  tellAggregation(collection, (performance.now() - startedAt) / 1000);
  return value;
}

/** Hears of every aggregation of this process from here on; returns what stops it. */
export function onAggregation(hear: (aggregation: TimedAggregation) => void): () => void {
  const listen = (message: unknown): void => hear(message as TimedAggregation);
  aggregations.subscribe(listen);
  return () => aggregations.unsubscribe(listen);
}
