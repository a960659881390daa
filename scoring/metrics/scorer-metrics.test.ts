import { AggregatorRegistry } from 'prom-client';
import { describe, expect, it } from 'vitest';
import { SCORER_METRICS } from './catalogue.js';
import { createScorerMetrics, type ScorerState, type ServedBundle } from './scorer-metrics.js';

const served = (change: Partial<ServedBundle> = {}): ServedBundle => ({
  model: 'm',
  modelVersion: '3',
  bundleVersion: 'v3',
  createdAtMs: Date.now() - 60_000,
  fxAgeDays: 2,
  engine: 'kernel',
  ...change,
});

function scorer(change: Partial<ScorerState> = {}) {
  const state: ScorerState = {
    generation: 7,
    champion: served(),
    candidate: null,
    queuedRows: 0,
    predictionLog: { pending: 5, written: 100, dropped: 2, failed_batches: 1 },
    ...change,
  };
  return { state, metrics: createScorerMetrics(() => state, { ofProcess: false }) };
}

/** The samples of an exported text, by name and labels as they stand there. */
function samples(text: string): Record<string, number> {
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
  );
}

describe("a scorer's metrics", () => {
  it('counts requests by group and status, and what is no status as 0', async () => {
    const { metrics } = scorer();
    for (const status of [200, 200, 422, 503, 0, 99_999, -1]) metrics.request('score', status);
    metrics.request('state', 200);
    expect(samples(await metrics.text())).toMatchObject({
      'sluice_scorer_requests_total{route="score",status="200"}': 2,
      'sluice_scorer_requests_total{route="score",status="422"}': 1,
      'sluice_scorer_requests_total{route="score",status="0"}': 3,
      'sluice_scorer_requests_total{route="state",status="200"}': 1,
    });
  });

  it('has the latency in buckets that add up, a bound in its own, single and list apart', async () => {
    const { metrics } = scorer();
    for (const seconds of [0.00004, 0.00005, 0.004, 3]) metrics.scored(seconds, 1, 0);
    metrics.scored(0.02, 1_000, 4);
    const found = samples(await metrics.text());
    const bucket = (le: string) => found[`sluice_scorer_scoring_seconds_bucket{request="single",le="${le}"}`];
    expect(['0.00005', '0.003', '0.005', '1', '+Inf'].map(bucket)).toEqual([2, 2, 3, 3, 4]);
    expect(found['sluice_scorer_scoring_seconds_count{request="single"}']).toBe(4);
    expect(found['sluice_scorer_scoring_seconds_sum{request="single"}']).toBeCloseTo(3.00409, 12);
    expect(found['sluice_scorer_scoring_seconds_count{request="list"}']).toBe(1);
  });

  it('counts rows and alerts of both arms', async () => {
    const { metrics } = scorer();
    metrics.scored(0.001, 10, 3);
    metrics.scored(0.001, 1, 1, 'candidate');
    expect(samples(await metrics.text())).toMatchObject({
      'sluice_scorer_rows_total{arm="champion"}': 10,
      'sluice_scorer_alerts_total{arm="champion"}': 3,
      'sluice_scorer_rows_total{arm="candidate"}': 1,
      'sluice_scorer_alerts_total{arm="candidate"}': 1,
    });
  });

  it('goes on counting a threshold through a reload that moves it, and limits their number', async () => {
    const { metrics } = scorer();
    const first = metrics.thresholds(['home', 'food']);
    first.hit('food');
    const second = metrics.thresholds(['food', 'travel']);
    second.hit('food');
    first.hit('food');
    // the other bundle has no threshold for it
    second.hit('home');
    first.hit(null);
    metrics.thresholds(Array.from({ length: 1_000 }, (_, index) => `c${index}`)).hit('c999');
    const found = samples(await metrics.text());
    expect(found['sluice_scorer_threshold_hits_total{threshold="food"}']).toBe(3);
    expect(found['sluice_scorer_threshold_hits_total{threshold="travel"}']).toBe(0);
    expect(found['sluice_scorer_threshold_hits_total{threshold="home"}']).toBe(0);
    expect(found['sluice_scorer_threshold_hits_total{threshold="operating"}']).toBe(2);
    expect(found['sluice_scorer_threshold_hits_total{threshold="other"}']).toBe(1);
    expect(Object.keys(found).filter((name) => name.includes('threshold_hits'))).toHaveLength(65);
  });

  it('has every outcome of a reload from the start, with its time', async () => {
    const { metrics } = scorer();
    metrics.reload('failed', 1.5);
    expect(samples(await metrics.text())).toMatchObject({
      'sluice_scorer_reload_seconds_count{outcome="loaded"}': 0,
      'sluice_scorer_reload_seconds_count{outcome="failed"}': 1,
      'sluice_scorer_reload_seconds_bucket{le="1",outcome="failed"}': 0,
      'sluice_scorer_reload_seconds_bucket{le="2",outcome="failed"}': 1,
    });
  });

  it('tells of the bundle that is served now, in the place of the former', async () => {
    const { state, metrics } = scorer();
    expect(samples(await metrics.text())).toMatchObject({
      sluice_scorer_generation: 7,
      'sluice_scorer_bundle_info{arm="champion",model="m",model_version="3",bundle_version="v3"}': 1,
      'sluice_scorer_fx_age_days{arm="champion"}': 2,
      'sluice_scorer_engine{arm="champion",engine="kernel"}': 1,
      'sluice_scorer_engine{arm="champion",engine="onnxruntime"}': 0,
      sluice_scorer_prediction_log_pending_rows: 5,
      sluice_scorer_prediction_log_written_rows_total: 100,
    });
    state.champion = served({ bundleVersion: 'v4', fxAgeDays: null, engine: 'onnxruntime' });
    state.candidate = served({ bundleVersion: 'v5' });
    state.generation = null;
    state.predictionLog = null;
    const found = samples(await metrics.text());
    expect(Object.keys(found).filter((name) => name.startsWith('sluice_scorer_bundle_info'))).toEqual([
      'sluice_scorer_bundle_info{arm="champion",model="m",model_version="3",bundle_version="v4"}',
      'sluice_scorer_bundle_info{arm="candidate",model="m",model_version="3",bundle_version="v5"}',
    ]);
    expect(found['sluice_scorer_engine{arm="champion",engine="onnxruntime"}']).toBe(1);
    expect(found['sluice_scorer_bundle_age_seconds{arm="champion"}']).toBeGreaterThanOrEqual(60);
    for (const absent of ['sluice_scorer_generation', 'sluice_scorer_fx_age_days{arm="champion"}'])
      expect(found).not.toHaveProperty([absent]);
  });

  it('becomes one of several processes: counts are added, and who lags behind is seen', async () => {
    const one = scorer();
    const other = scorer({
      generation: 6,
      champion: served({ createdAtMs: Date.now() - 3_600_000, engine: 'onnxruntime' }),
    });
    for (const { metrics } of [one, other]) {
      metrics.request('score', 200);
      metrics.scored(0.0001, 1, 1);
    }
    // as it is sent between processes
    const sent = await Promise.all(
      [one, other].map(async ({ metrics }) => JSON.parse(JSON.stringify(await metrics.json())) as object[]),
    );
    const found = samples(await AggregatorRegistry.aggregate(sent).metrics());
    expect(found).toMatchObject({
      'sluice_scorer_requests_total{route="score",status="200"}': 2,
      'sluice_scorer_scoring_seconds_bucket{request="single",le="0.0001"}': 2,
      'sluice_scorer_scoring_seconds_count{request="single"}': 2,
      sluice_scorer_generation: 6,
      'sluice_scorer_engine{arm="champion",engine="kernel"}': 1,
      'sluice_scorer_engine{arm="champion",engine="onnxruntime"}': 1,
      'sluice_scorer_bundle_info{arm="champion",model="m",model_version="3",bundle_version="v3"}': 1,
      sluice_scorer_prediction_log_dropped_rows_total: 4,
    });
    expect(found['sluice_scorer_bundle_age_seconds{arm="champion"}']).toBeGreaterThanOrEqual(3_600);
  });

  it('exports what its catalogue says, with help and type, and the process beside it', async () => {
    const { state } = scorer();
    const text = await createScorerMetrics(() => state).text();
    const types = Object.fromEntries(
      [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name as string, type as string]),
    );
    const ours = Object.fromEntries(Object.entries(types).filter(([name]) => name.startsWith('sluice_')));
    expect(ours).toEqual(Object.fromEntries(Object.entries(SCORER_METRICS).map(([name, { type }]) => [name, type])));
    for (const name of ['nodejs_eventloop_lag_p99_seconds', 'process_resident_memory_bytes'])
      expect(types).toHaveProperty(name, 'gauge');
  });
});
