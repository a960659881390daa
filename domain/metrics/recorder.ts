import type { LabelsOf, NamesOf } from './metric.js';
import { WORKER_METRICS, type WorkerMetrics } from './worker-metrics.js';

type Tags = Record<string, string>;

/** What is used of Temporal's meters: the runtime's, an activity's or a workflow's. */
export interface Meter {
  createCounter(name: string, unit?: string, description?: string): { add(value: number, tags: Tags): void };
  createHistogram(
    name: string,
    valueType: 'float',
    unit?: string,
    description?: string,
  ): { record(value: number, tags: Tags): void };
  createGauge(
    name: string,
    valueType: 'float',
    unit?: string,
    description?: string,
  ): { set(value: number, tags: Tags): void };
}

/** Records the metrics of `WORKER_METRICS`, and no others. */
export interface Recorder {
  count<Name extends NamesOf<WorkerMetrics, 'counter'>>(name: Name, labels: LabelsOf<WorkerMetrics, Name>): void;
  /** @param value 0 or more: Temporal's meters take nothing below */
  set<Name extends NamesOf<WorkerMetrics, 'gauge'>>(
    name: Name,
    value: number,
    labels: LabelsOf<WorkerMetrics, Name>,
  ): void;
  observe<Name extends NamesOf<WorkerMetrics, 'histogram'>>(
    name: Name,
    value: number,
    labels: LabelsOf<WorkerMetrics, Name>,
  ): void;
}

/** Without a meter that is exported, recording does nothing. */
export function recorderOf(meter: Meter): Recorder {
  const helpOf = (name: keyof WorkerMetrics): string => WORKER_METRICS[name].help;
  return {
    // the exporter adds `_total`
    count: (name, labels) => meter.createCounter(name.replace(/_total$/, ''), undefined, helpOf(name)).add(1, labels),
    set: (name, value, labels) => meter.createGauge(name, 'float', undefined, helpOf(name)).set(value, labels),
    observe: (name, value, labels) =>
      meter.createHistogram(name, 'float', undefined, helpOf(name)).record(value, labels),
  };
}
