import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry, type Metric } from 'prom-client';
import { SCORER_METRICS, type ScorerMetricName } from './catalogue.js';
import type { BucketCounts } from './counts.js';

type Labels = Record<string, string | number>;
/** One series of a metric: its labels' values, and its own. */
export type Series = [labels: Labels, value: number];

type NameOf<Type extends string> = {
  [Name in ScorerMetricName]: (typeof SCORER_METRICS)[Name]['type'] extends Type ? Name : never;
}[ScorerMetricName];

/** Where the scorer's metrics become prom-client's: each is asked for its series when the whole is. */
export class ScorerRegistry {
  private readonly registry = new Registry();

  /** @param ofProcess also memory, CPU, garbage collection and event-loop lag of this process */
  constructor(ofProcess: boolean) {
    if (ofProcess) collectDefaultMetrics({ register: this.registry });
  }

  /** @param series may become fewer: what is no longer there disappears */
  counter(name: NameOf<'counter'>, series: () => Series[]): void {
    new Counter({
      ...this.definition(name),
      collect() {
        this.reset();
        for (const [labels, value] of series()) this.inc(labels, value);
      },
    });
  }

  gauge(name: NameOf<'gauge'>, series: () => Series[]): void {
    new Gauge({
      ...this.definition(name),
      collect() {
        this.reset();
        // a gauge without labels is 0 after a reset; one without a value is absent
        if (SCORER_METRICS[name].labels.length === 0) this.remove();
        for (const [labels, value] of series()) this.set(labels, value);
      },
    });
  }

  /** A histogram that is recorded where it happens: too slow for every request. */
  histogram(name: NameOf<'histogram'>): Histogram {
    return new Histogram({ ...this.definition(name), buckets: [...SCORER_METRICS[name].buckets] });
  }

  /**
   * A histogram whose observations are counted elsewhere. prom-client's own has no way to take counts, and a registry asks no more of a metric
   * than its name and `get`.
   */
  countedHistogram(name: NameOf<'histogram'>, series: () => [labels: Labels, counts: BucketCounts][]): void {
    const { help, type, aggregator } = SCORER_METRICS[name];
    const get = () =>
      Promise.resolve({
        name,
        help,
        type,
        aggregator,
        values: series().flatMap(([labels, counts]) => histogramValues(name, labels, counts)),
      });
    this.registry.registerMetric({ name, help, type, aggregator, get, reset: () => {} } as unknown as Metric);
  }

  get contentType(): string {
    return this.registry.contentType;
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }

  /** Plain objects, for `AggregatorRegistry.aggregate` in another process. */
  async json(): Promise<object[]> {
    return await this.registry.getMetricsAsJSON();
  }

  private definition(name: ScorerMetricName) {
    const { help, labels, aggregator } = SCORER_METRICS[name];
    return { name, help, labelNames: [...labels], aggregator, registers: [this.registry] };
  }
}

function histogramValues(name: string, labels: Labels, { bounds, counts, sum }: BucketCounts) {
  let total = 0;
  const buckets = [...bounds, '+Inf'].map((le, index) => ({
    metricName: `${name}_bucket`,
    labels: { ...labels, le },
    value: (total += counts[index] as number),
  }));
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ];
}
