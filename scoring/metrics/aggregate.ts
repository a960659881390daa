import { AggregatorRegistry } from 'prom-client';

/** The metrics of several processes as those of one, in Prometheus's text format. */
export function aggregated(processes: readonly object[][]): Promise<string> {
  return AggregatorRegistry.aggregate([...processes]).metrics();
}
