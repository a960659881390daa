import type { TelemetryOptions } from '@temporalio/worker';
import { recorderOf, type Meter } from '../domain/metrics/recorder.js';
import { WORKER_METRICS } from '../domain/metrics/worker-metrics.js';
import { SluiceError } from './errors.js';
import { onAggregation } from './mongo-timing.js';

/** Records every aggregation of this process from here on; returns what stops it. */
export function recordAggregations(meter: Meter): () => void {
  const recorder = recorderOf(meter);
  return onAggregation(({ collection, seconds }) =>
    recorder.observe('sluice_mongo_aggregation_seconds', seconds, { collection }),
  );
}

/** Temporal's runtime serves its own metrics and ours at `http://{address}/metrics`. */
export function exportedAt(address: string): TelemetryOptions {
  const histogramBucketOverrides = Object.fromEntries(
    Object.entries(WORKER_METRICS).flatMap(([name, facts]) => ('buckets' in facts ? [[name, [...facts.buckets]]] : [])),
  );
  return {
    metrics: {
      attachServiceName: false,
      prometheus: {
        bindAddress: address,
        countersTotalSuffix: true,
        unitSuffix: true,
        useSecondsForDurations: true,
        histogramBucketOverrides,
      },
    },
  };
}

/** The runtime could not serve metrics: says which setting is the reason. */
export function explainExporter(error: unknown, address: string): unknown {
  const why = error instanceof Error ? error.message : String(error);
  if (!/prometheus|socketAddr/.test(why)) return error;
  return new SluiceError(
    'InvalidInput',
    `metrics cannot be served at ${address}: ${why}. WORKER_METRICS_ADDRESS is an IP address and a free port: 127.0.0.1:9464`,
  );
}
