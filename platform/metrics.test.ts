import { describe, expect, it } from 'vitest';
import { recorderOf, type Meter } from '../domain/metrics/recorder.js';
import { SluiceError } from './errors.js';
import { explainExporter, exportedAt, recordAggregations } from './metrics.js';
import { tellAggregation, timedAggregation } from './mongo-timing.js';

/** A meter that remembers what it was told. */
function remembering(): { meter: Meter; told: unknown[][] } {
  const told: unknown[][] = [];
  const meter: Meter = {
    createCounter: (name) => ({ add: (value, tags) => told.push(['counter', name, value, tags]) }),
    createGauge: (name) => ({ set: (value, tags) => told.push(['gauge', name, value, tags]) }),
    createHistogram: (name) => ({ record: (value, tags) => told.push(['histogram', name, value, tags]) }),
  };
  return { meter, told };
}

describe('what workers record', () => {
  it('leaves `_total` to the exporter, which adds it', () => {
    const { meter, told } = remembering();
    const recorder = recorderOf(meter);
    recorder.count('sluice_gates_total', { model: 'm', gate: 'recall', outcome: 'passed' });
    recorder.set('sluice_drift_psi', 0.2, { model: 'm', feature: 'f' });
    expect(told).toEqual([
      ['counter', 'sluice_gates', 1, { model: 'm', gate: 'recall', outcome: 'passed' }],
      ['gauge', 'sluice_drift_psi', 0.2, { model: 'm', feature: 'f' }],
    ]);
  });

  it('has every aggregation that was answered, and none that failed', async () => {
    const { meter, told } = remembering();
    tellAggregation('before', 1);
    const stop = recordAggregations(meter);
    try {
      expect(await timedAggregation('rows', () => Promise.resolve([7]))).toEqual([7]);
      await expect(timedAggregation('rows', () => Promise.reject(new Error('away')))).rejects.toThrow('away');
    } finally {
      stop();
    }
    tellAggregation('after', 1);
    const name = 'sluice_mongo_aggregation_seconds';
    expect(told).toEqual([['histogram', name, expect.any(Number), { collection: 'rows' }]]);
  });
});

describe('the exporter', () => {
  it('takes the buckets of the catalogue', () => {
    const { metrics } = exportedAt('127.0.0.1:9464');
    expect(metrics).toMatchObject({
      prometheus: {
        bindAddress: '127.0.0.1:9464',
        histogramBucketOverrides: { sluice_activity_seconds: expect.arrayContaining([0.01, 3600]) as number[] },
      },
    });
  });

  it('that cannot be started names its setting; another error of the runtime stays', () => {
    const taken = new Error('Failed to start prometheus metrics exporter: Address already in use (os error 98)');
    const explained = explainExporter(taken, '127.0.0.1:9464');
    expect(explained).toBeInstanceOf(SluiceError);
    expect(explained).toMatchObject({
      type: 'InvalidInput',
      message: expect.stringMatching(/127\.0\.0\.1:9464: .*in use.*WORKER_METRICS_ADDRESS/) as string,
    });
    const other = new Error('x');
    expect(explainExporter(other, '')).toBe(other);
  });
});
