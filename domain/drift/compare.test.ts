import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { validate } from '../../platform/validate.js';
import type { DriftReport } from '../../schemas/types.js';
import { randomOf } from '../../test/support/random.js';
import { referenceOf } from '../../test/support/reference-profile.js';
import type { ColumnKind } from './columns.js';
import { compareWithReference, withAction } from './compare.js';
import { averagePrecision } from './performance.js';
import { renderDriftPage } from './page/page.js';
import { compareSnapshots, snapshotOf } from './snapshot.js';
import type { DriftPolicy, DriftReference, DriftWindow, KnownFrauds } from './types.js';

const DAY_MS = 86_400_000;
const TO = '2025-06-30T00:00:00.000Z';

const policy: DriftPolicy = {
  window_days: 7,
  min_rows: 300,
  alpha: 0.02,
  psi: { bins: 10, epsilon: 0.0001, warn: 0.1, alert: 0.25 },
  min_effect: 0.03,
  last_day_min_effect: 0.04,
  max_staleness_hours: 36,
  rank_stability: { min_segment_rows: 100, min_correlation: 0.5 },
  performance: { min_frauds: 50, max_drop: 0.05 },
  retraining: { days: 3, of: 5, max_alert_rate_ratio: 1.5, cooldown_days: 14 },
};

const columns: ColumnKind[] = [
  { name: 'amount', kind: 'numeric', missing_value: null, period_hours: null },
  { name: 'freq', kind: 'numeric', missing_value: 0, period_hours: null },
  { name: 'constant', kind: 'numeric', missing_value: null, period_hours: null },
  { name: 'kind', kind: 'categorical', missing_value: -1, period_hours: null },
  { name: 'weekday', kind: 'categorical', missing_value: null, period_hours: 168 },
];
const SEGMENTS = ['atm', 'card', 'cash', 'transfer'];

interface Change {
  amount?: (value: number) => number;
  kind?: (value: number) => number;
  calibrated?: (value: number) => number;
  days?: number;
  to?: string;
}

/** Rows of a made-up world, which `change` moves. */
function rowsOf(seed: number, rows: number, { amount, kind, calibrated, days = 7, to = TO }: Change = {}): DriftWindow {
  const random = randomOf(seed);
  const column = (draw: () => number): Float64Array => Float64Array.from({ length: rows }, draw);
  const kinds = column(() => Math.floor(random() * 4));
  const bookedAtMs = column(() => 0).map((_, row) => Date.parse(to) - ((row + 0.5) / rows) * days * DAY_MS);
  const scores = Float64Array.from(kinds, (value) => (random() ** 4 * (value + 1)) / 4);
  return {
    from: new Date(Date.parse(to) - days * DAY_MS).toISOString(),
    to,
    bookedAtMs,
    features: {
      amount: column(() => Math.exp(3 + random() + random() + random())).map((value) => amount?.(value) ?? value),
      freq: column(() => (random() < 0.1 ? 0 : Math.fround(random()))),
      constant: column(() => 7),
      kind: kinds.map((value) => kind?.(value) ?? value),
      weekday: bookedAtMs.map((at) => new Date(at).getUTCDay()),
    },
    bundles: [],
    inputs: {},
    calibrated: scores.map((value) => calibrated?.(value) ?? value),
    alerts: Uint8Array.from(scores, (value) => ((calibrated?.(value) ?? value) > 0.6 ? 1 : 0)),
    segments: Array.from(kinds, (value) => SEGMENTS[value] ?? null),
    knownFrauds: null,
    matured: null,
  };
}

/** Every so manyth row is of the kind 9. */
function everyNth(every: number): (value: number) => number {
  let row = 0;
  return (value) => (row++ % every === 0 ? 9 : value);
}

const before = rowsOf(1, 56_000, { days: 28, to: '2025-06-02T00:00:00.000Z' });
const labels = Uint8Array.from(before.calibrated, (score) => (score > 0.7 ? 1 : 0));
const about = {
  model: 'tiny',
  modelVersion: '3',
  bundleVersion: '20250630-120000-1.0.0-0a1b2c3',
  metrics: { precision: 0.8, recall: 0.7, auc_pr: 0.8 },
};
const reference: DriftReference = referenceOf({ ...before, labels }, columns, about);
validate('reference-days', JSON.parse(JSON.stringify(reference.days)));
validate('reference-profile', reference.profile);

function compared(window: DriftWindow, over: Partial<DriftPolicy> = {}, of = reference, now = TO): DriftReport {
  const report = compareWithReference(of, window, { ...policy, ...over }, now);
  // Whatever comes in, what goes out is a document of the schema and draws a page.
  validate('drift-report', JSON.parse(JSON.stringify(report)));
  expect(renderDriftPage(report)).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
  return report;
}
const featureOf = (report: DriftReport, name: string) => report.features.find((feature) => feature.name === name)!;
const without = (window: DriftWindow, ...names: string[]): DriftWindow => ({
  ...window,
  features: Object.fromEntries(Object.entries(window.features).filter(([name]) => !names.includes(name))),
});

// Each comparison of these takes a good part of a second where the machine is busy.
vi.setConfig({ testTimeout: 60_000 });

describe('comparing a window with the reference', () => {
  it('finds no drift in rows of the same world', () => {
    const report = compared(rowsOf(2, 5_000));
    expect(report).toMatchObject({ verdict: 'none', why: [], action: 'none', features_with_drift: [] });
    expect(report.window).toEqual({ from: '2025-06-23T00:00:00.000Z', to: TO, rows: 5_000, last_day_rows: 714 });
    expect(report.features.map(({ verdict }) => verdict)).toEqual(Array(5).fill('ok'));
    expect(report.p_values['amount']).toBeGreaterThan(policy.alpha);
    expect(featureOf(report, 'freq').missing_fraction).toBeCloseTo(0.1, 1);
    expect(featureOf(report, 'amount').quantiles).toHaveLength(report.quantile_probabilities.length);
  });

  it('finds a moved number, and says by how much', () => {
    const report = compared(rowsOf(3, 5_000, { amount: (value) => value * 1.2 }));
    expect(report).toMatchObject({ verdict: 'drift', action: 'alert', features_with_drift: ['amount'] });
    expect(report.why[0]).toMatch(
      /^amount: KS distance 0\.1\d+ in the window \(from 0\.03 on it matters; adjusted p \d+e-\d+\)$/,
    );
    const [scope] = featureOf(report, 'amount').scopes;
    const mean = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0) / values.length;
    const moved = mean(rowsOf(3, 5_000).features['amount']!) * 0.2;
    expect(scope!.wasserstein! / moved).toBeGreaterThan(0.85);
    expect(scope!.wasserstein! / moved).toBeLessThan(1.15);
  });

  it('finds a category that the reference never had, and one that is no longer known', () => {
    const unseen = compared(rowsOf(4, 5_000, { kind: (value) => (value === 3 ? 9 : value) }));
    expect(unseen.features_with_drift).toEqual(['kind']);
    expect(featureOf(unseen, 'kind').why.join()).toMatch(/the reference does not have 9 \(new\) 2\d\.\d %/);
    const unknown = compared(rowsOf(4, 5_000, { kind: (value) => (value === 3 ? -1 : value) }));
    expect(featureOf(unknown, 'kind').why.join()).toMatch(/2\d\.\d % missing in the window, 0\.00 % before/);
  });

  it('finds a value that the reference never had in few rows already, on its first day', () => {
    // About 1.6 % of one day: far less than what a known value may move by.
    const since = Date.parse(TO) - DAY_MS;
    const of = (every: number): DriftWindow => {
      const window = rowsOf(27, 5_000);
      const kind = window.features['kind'] as Float64Array;
      const rare = kind.map((value, row) => ((window.bookedAtMs[row] ?? 0) >= since && row % every === 0 ? 9 : value));
      return { ...window, features: { ...window.features, kind: rare } };
    };
    const report = compared(of(60));
    expect(report.features_with_drift).toEqual(['kind']);
    expect(featureOf(report, 'kind').why).toEqual([
      '1.68 % on its last day have a value that the reference does not (from 1.00 % on it matters): 9 (new) 1.68 %',
    ]);
    expect(compared(of(60), { unseen_min_share: 0.02 }).verdict).toBe('none');
    expect(compared(of(60), { min_rows: 715 }).verdict, 'too few rows of a day').toBe('none');
    expect(compared(of(120)).verdict, 'six rows of 714').toBe('none');
  });

  it('does not take values for new that the reference has too, but too seldom to name', () => {
    const kind = (before.features['kind'] as Float64Array).map((value, row) => (row % 50 === 0 ? 9 : value));
    const seldom = { ...before, features: { ...before.features, kind }, labels };
    const of = referenceOf(seldom, columns, about);
    const counted = of.days?.columns.find(({ name }) => name === 'kind');
    const at = counted?.values.indexOf(9) ?? -1;
    counted?.values.splice(at, 1);
    for (const day of counted?.counts ?? []) day.push(day.splice(at, 1)[0] ?? 0);
    for (const day of counted?.counts ?? []) day.splice(-2, 2, (day.at(-2) ?? 0) + (day.at(-1) ?? 0));
    expect(counted?.counts[0]).toHaveLength((counted?.values.length ?? 0) + 1);
    const now = (every: number) => compared(rowsOf(28, 5_000, { kind: everyNth(every) }), {}, of);
    expect(featureOf(now(50), 'kind').verdict).toBe('ok');
    expect(featureOf(now(10), 'kind').verdict).toBe('drift');
  });

  it('sees a change on its first day, while six of seven days are as ever', () => {
    const [usual, dearer] = [rowsOf(5, 6_000), rowsOf(5, 6_000, { amount: (value) => value * 1.5 })];
    const since = Date.parse(TO) - DAY_MS;
    const amount = Float64Array.from(usual.features['amount']!, (value, row) =>
      usual.bookedAtMs[row]! >= since ? dearer.features['amount']![row]! : value,
    );
    const report = compared({ ...usual, features: { ...usual.features, amount } });
    expect(report.features_with_drift).toEqual(['amount']);
    expect(featureOf(report, 'amount').why.join()).toContain('on its last day');
  });

  it('does not call a significant difference drift when it is too small to matter', () => {
    const report = compared(rowsOf(6, 60_000, { amount: (value) => value * 1.025 }));
    const [scope] = featureOf(report, 'amount').scopes;
    expect(scope!.p_adjusted).toBeLessThan(policy.alpha);
    expect(scope!.effect).toBeLessThan(policy.min_effect);
    expect(report.verdict).toBe('none');
  });

  it('finds moved scores and a raised alert rate', () => {
    const report = compared(rowsOf(7, 14_000, { calibrated: (value) => Math.min(1, value * 1.4) }));
    expect(report.verdict).toBe('drift');
    expect(report.prediction.verdict).toBe('drift');
    expect(report.alert_rate).toMatchObject({ verdict: 'drift' });
    expect(report.alert_rate.ratio).toBeGreaterThan(1.5);
    expect(report.features_with_drift).toEqual([]);
  });
});

describe('what cannot be judged', () => {
  it.each([0, 1, 12, 299])('%i rows are inconclusive', (rows) => {
    const report = compared(rowsOf(8, rows));
    expect(report).toMatchObject({ verdict: 'inconclusive', action: 'none', features_with_drift: [] });
    expect(report.why).toEqual([`${rows} rows, of 300 that a verdict needs`]);
    expect(report.features.every(({ verdict }) => verdict === 'inconclusive')).toBe(true);
  });

  it('a window in which every feature is missing is inconclusive, and tells where to look', () => {
    const window = rowsOf(9, 1_000);
    const nothing = Object.fromEntries(columns.map(({ name }) => [name, new Float64Array(1_000).fill(NaN)]));
    for (const features of [nothing, {}]) {
      const report = compared({ ...window, features });
      expect(report.verdict).toBe('inconclusive');
      expect(report.why.join()).toContain('look at what writes the predictions');
      expect(report.features.every(({ verdict }) => verdict === 'inconclusive')).toBe(true);
    }
  });

  it('one feature that is missing altogether is drift', () => {
    for (const window of [
      without(rowsOf(10, 1_000), 'amount'),
      rowsOf(10, 1_000, { amount: () => NaN }),
      rowsOf(10, 1_000, { amount: () => Infinity }),
    ]) {
      const report = compared(window);
      expect(report.features_with_drift).toEqual(['amount']);
      expect(featureOf(report, 'amount').why.join()).toContain('100.0 % missing');
      expect(featureOf(report, 'amount').quantiles).toBeNull();
    }
  });

  it('a feature that the reference does not have is named, inconclusive, and a warning', () => {
    const profile = {
      ...reference.profile,
      features: reference.profile.features.filter(({ name }) => name !== 'amount'),
    };
    const report = compared(rowsOf(11, 2_000), {}, { ...reference, profile });
    expect(report).toMatchObject({ verdict: 'warn', features_inconclusive: ['amount'], action: 'none' });
    expect(featureOf(report, 'amount')).toMatchObject({ kind: 'unknown', verdict: 'inconclusive' });
    expect(report.why).toEqual(['amount: the reference does not have it, so there is nothing to compare it with']);
    expect(report.p_values['amount']).toBeNull();
  });

  it('a feature that had no value in training is inconclusive', () => {
    const features = { ...before.features, amount: new Float64Array(56_000).fill(NaN) };
    const of = referenceOf({ ...before, labels, features }, columns, about);
    const quiet = compared(rowsOf(12, 1_000, { amount: () => NaN }), {}, of);
    expect(featureOf(quiet, 'amount')).toMatchObject({ verdict: 'inconclusive' });
    expect(compared(rowsOf(12, 1_000), {}, of).features_with_drift).toEqual(['amount']);
  });

  it('a constant stays one without an error, and is drift when it is another', () => {
    const window = rowsOf(13, 1_000);
    const moved = { ...window.features, constant: new Float64Array(1_000).fill(6) };
    expect(featureOf(compared(window), 'constant')).toMatchObject({ verdict: 'ok' });
    expect(compared({ ...window, features: moved }).features_with_drift).toEqual(['constant']);
  });

  it('a day is compared with the same days of the week, so its weekday is no news', () => {
    const day = compared(rowsOf(14, 2_000, { days: 1 }));
    expect(featureOf(day, 'weekday')).toMatchObject({ verdict: 'ok' });
    expect(day.verdict).toBe('none');
    expect(day.features[0]!.scopes).toHaveLength(1);
    const [week] = featureOf(compared(rowsOf(14, 5_000)), 'weekday').scopes;
    expect(week).toMatchObject({ test: null, p: null, days: 7 });
    expect(week!.psi).toBeCloseTo(0, 12);
  });

  it('the afternoon on which a model went live is no day, and a part of a week is judged as one', () => {
    const since = Date.parse(TO) - 2.4 * DAY_MS;
    const usual = rowsOf(24, 14_000);
    const rows = Array.from(usual.bookedAtMs, (_, row) => row).filter((row) => usual.bookedAtMs[row]! >= since);
    const some = <T>(values: ArrayLike<T>): T[] => rows.map((row) => values[row]!);
    const young: DriftWindow = {
      ...usual,
      bookedAtMs: some(usual.bookedAtMs),
      features: Object.fromEntries(Object.entries(usual.features).map(([name, values]) => [name, some(values)])),
      calibrated: some(usual.calibrated),
      alerts: some(usual.alerts),
      segments: some(usual.segments),
    };
    const report = compared(young);
    expect(report).toMatchObject({ verdict: 'none', window: { rows: rows.length } });
    expect(featureOf(report, 'amount').scopes.map(({ days }) => days)).toEqual([2, 1]);
    expect(featureOf(report, 'amount').n).toBeLessThan(rows.length);

    const first = compared({ ...rowsOf(24, 2_000, { days: 0.4 }), from: usual.from });
    expect(first).toMatchObject({
      verdict: 'inconclusive',
      why: ['0 of 2000 rows are of whole days, of 300 that a verdict needs'],
    });
  });

  it('without the reference’s days everything is measured, nothing judged, and the reason said', () => {
    const report = compared(rowsOf(3, 5_000, { amount: (value) => value * 1.2 }), {}, { ...reference, days: null });
    expect(report).toMatchObject({ verdict: 'warn', action: 'none', features_with_drift: [] });
    expect(report.why.join()).toContain('the training snapshot is gone');
    expect(featureOf(report, 'amount')).toMatchObject({ verdict: 'inconclusive' });
    expect(featureOf(report, 'amount').scopes[0]).toMatchObject({ p: null, psi: expect.any(Number), psi_alert: null });
    expect([report.alert_rate.verdict, report.prediction.verdict]).toEqual(['inconclusive', 'inconclusive']);
  });

  it('never crashes, and never passes fewer rows than it asks for', () => {
    const value = fc.oneof(fc.double(), fc.constantFrom(NaN, Infinity, -Infinity, 0, -0, 7, 1e308, -1e308));
    const rows = fc.array(fc.tuple(value, value, value), { maxLength: 40 });
    fc.assert(
      fc.property(rows, fc.boolean(), (drawn, few) => {
        const column = (at: number): Float64Array => Float64Array.from(drawn, (row) => row[at]!);
        const window: DriftWindow = {
          ...rowsOf(15, drawn.length),
          features: { amount: column(0), constant: column(1), kind: column(2), other: column(0) },
          calibrated: column(1),
        };
        const report = compared(window, { min_rows: few ? 1 : 300 });
        if (!few) expect(report.verdict).toBe('inconclusive');
      }),
      { numRuns: 50 },
    );
  });
});

describe('labels, ranks, freshness', () => {
  const matured = (seed: number, isFraud: (score: number, random: () => number) => boolean): DriftWindow['matured'] => {
    const { bookedAtMs, calibrated, alerts } = rowsOf(seed, 6_000, { days: 10 }) as DriftWindow & {
      bookedAtMs: Float64Array;
    };
    const random = randomOf(seed + 1);
    return {
      from: '2025-05-20T00:00:00.000Z',
      to: '2025-05-30T00:00:00.000Z',
      bookedAtMs: bookedAtMs.map((at) => at - 31 * DAY_MS),
      calibrated,
      alerts,
      labels: Uint8Array.from(calibrated, (score) => (isFraud(score, random) ? 1 : 0)),
    };
  };

  it('judges the model by labels that have matured', () => {
    const good = compared({ ...rowsOf(16, 2_000), matured: matured(17, (score) => score > 0.55) });
    expect(good.performance.verdict).toBe('ok');
    expect(good.performance.metrics.map(({ name }) => name)).toEqual(['precision', 'recall', 'auc_pr']);
    for (const { low, value, high } of good.performance.metrics) {
      expect(low).toBeLessThanOrEqual(value!);
      expect(high).toBeGreaterThanOrEqual(value!);
    }
    const useless = compared({ ...rowsOf(16, 2_000), matured: matured(17, (_, random) => random() < 0.06) });
    expect(useless.performance.verdict).toBe('drift');
    expect(useless.why.join()).toMatch(/performance: precision 0\.0\d+ \(0\.0\d+ to 0\.1\d+\), 0\.800 at release/);
    const few = compared({ ...rowsOf(16, 2_000), matured: matured(17, (score) => score > 0.97) });
    expect(few.performance).toMatchObject({ verdict: 'inconclusive' });
    expect(compared(rowsOf(16, 2_000)).performance.why).toEqual(['no labels have matured']);
  });

  it('finds a fraud rate that has moved', () => {
    const report = compared({ ...rowsOf(16, 2_000), matured: matured(18, (score) => score > 0.35) });
    expect(report.target.verdict).toBe('drift');
    expect(report.target.ratio).toBeGreaterThan(1.5);
  });

  it('warns when segments change places, and of data that is old', () => {
    const window = rowsOf(19, 4_000);
    const swapped = { ...window, segments: window.segments.map((name) => SEGMENTS[3 - SEGMENTS.indexOf(name!)]!) };
    const report = compared(swapped);
    expect(report).toMatchObject({ verdict: 'warn', rank_stability: { spearman: -1, segments: 4 } });
    expect(compared(window).rank_stability).toMatchObject({ verdict: 'ok', spearman: 1 });
    expect(compared(rowsOf(19, 350)).rank_stability.verdict).toBe('inconclusive');

    const late = compared(window, {}, reference, '2025-07-02T00:00:00.000Z');
    expect(late).toMatchObject({ verdict: 'warn', freshness: { verdict: 'warn' } });
    expect(late.why.join()).toContain('freshness: the newest row is 48 hours old');
  });

  it('frauds that are known already and score too low are drift, long before labels mature', () => {
    const frauds = Array.from(before.calibrated, (_, row) => row).filter((row) => labels[row] === 1);
    const known = (lowered: number, count = 60): KnownFrauds => {
      const rows = frauds.slice(0, count);
      const calibrated = rows.map((row, i) => before.calibrated[row]! * (i < lowered * count ? 0.3 : 1));
      return {
        bookedAtMs: rows.map((_, i) => Date.parse(TO) - ((i + 0.5) / count) * 7 * DAY_MS),
        calibrated,
        alerts: calibrated.map((score) => (score > 0.6 ? 1 : 0)),
      };
    };
    const of = (knownFrauds: KnownFrauds | null): DriftReport => compared({ ...rowsOf(16, 5_000), knownFrauds });
    expect(of(known(0)).known_frauds).toMatchObject({ verdict: 'ok', scopes: [{ days: 7, n: 60 }, { days: 3 }] });
    const moved = of(known(0.5));
    expect(moved.verdict).toBe('drift');
    expect(moved.known_frauds?.scopes[0]).toMatchObject({ caught: 30, reference_recall: 1 });
    expect(moved.why.join()).toMatch(/of 60 frauds of the last 7 days that are known already 30 were alerts/);
    expect(of(known(1, 9)).known_frauds).toMatchObject({ verdict: 'inconclusive' });
    expect(of(null)).toMatchObject({ verdict: 'none', known_frauds: { verdict: 'inconclusive' } });
  });

  it('a share that fell because there is more of the rest has not moved', () => {
    const more = rowsOf(25, 28_000);
    const alerts = Uint8Array.from(more.alerts, (alert, row) => (row % 2 === 0 ? alert : 0));
    const report = compared({ ...more, alerts });
    expect(report.alert_rate.ratio).toBeLessThan(0.6);
    expect(report.alert_rate.per_day_ratio).toBeGreaterThan(0.9);
    expect(report.alert_rate.verdict).toBe('ok');
    const fewer = rowsOf(25, 14_000);
    const lost = compared({
      ...fewer,
      alerts: Uint8Array.from(fewer.alerts, (alert, row) => (row % 2 === 0 ? alert : 0)),
    });
    expect(lost.alert_rate).toMatchObject({ verdict: 'drift' });
    expect(lost.alert_rate.ratio).toBeLessThan(1 / 1.5);
  });

  it('a field of the request is compared as it came', () => {
    const currencies = (rows: number, other: string | null): string[] =>
      Array.from({ length: rows }, (_, row) =>
        row % 20 === 7 && other !== null ? other : row % 3 === 0 ? 'EUR' : 'USD',
      );
    const of = referenceOf({ ...before, labels, inputs: { currency: currencies(56_000, null) } }, columns, about);
    const now = (other: string | null): DriftReport =>
      compared({ ...rowsOf(26, 5_000), inputs: { currency: currencies(5_000, other) } }, {}, of);
    expect(now(null)).toMatchObject({ verdict: 'none' });
    const report = now('NOK');
    expect(report.features_with_drift).toEqual(['currency']);
    expect(report.why.join()).toContain('the reference does not have NOK (new) 5.00 %');
  });

  it('days of earlier lookups are compared with the reference through those lookups', () => {
    const halved = (window: DriftWindow): DriftWindow => ({
      ...window,
      features: { ...window.features, freq: Float64Array.from(window.features['freq']!, (value) => value / 2) },
    });
    const trained = reference.profile;
    const earlier = referenceOf({ ...halved(before), labels }, columns, about, trained).days!;
    const window = rowsOf(27, 7_000);
    const since = Date.parse(TO) - 2 * DAY_MS;
    const mixed: DriftWindow = {
      ...window,
      features: {
        ...window.features,
        freq: Float64Array.from(window.features['freq']!, (value, row) =>
          window.bookedAtMs[row]! < since ? value / 2 : value,
        ),
      },
      bundles: Array.from(window.bookedAtMs, (at) => (at < since ? 'before' : about.bundleVersion)),
    };
    expect(compared(mixed).features_with_drift).toEqual(['freq']);
    expect(compared(mixed, {}, { ...reference, earlier: { before: earlier } })).toMatchObject({ verdict: 'none' });
  });

  it('average precision, by hand', () => {
    // in order of the score: hit, miss, then a hit and a miss that tie
    expect(averagePrecision([0.9, 0.8, 0.3, 0.3], [1, 0, 1, 0])).toBeCloseTo(0.5 * 1 + 0.5 * (2 / 4), 12);
    expect(averagePrecision([0.1, 0.2], [0, 0])).toBeNull();
  });
});

it('an action replaces the day’s own', () => {
  const report = withAction(compared(rowsOf(2, 5_000)), 'retrain', 'drift on 3 of 5 days');
  expect(report).toMatchObject({ action: 'retrain', action_why: 'drift on 3 of 5 days', verdict: 'none' });
});

describe('the page', () => {
  const report = compared({
    ...rowsOf(20, 3_000, { amount: (value) => value * 1.3 }),
    features: {
      ...rowsOf(20, 3_000, { amount: (value) => value * 1.3 }).features,
      '<img src=x onerror=alert(1)>"': [1],
    },
  });
  const page = renderDriftPage({ ...report, action_why: '</style><script>alert(1)</script>' }, [
    { timestamp: '2025-06-29T02:00:00.000Z', psi: { amount: 0.4, kind: null, score: 0.01 } },
    { timestamp: '2025-07-29T02:00:00.000Z', psi: { amount: 98765 } },
  ]);

  it('escapes what comes from outside, runs nothing and loads nothing', () => {
    expect(page).not.toMatch(/<script|<img|javascript:|https?:|url\(|@import/);
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;&quot;');
    expect(page.match(/<style>/g)).toHaveLength(1);
    expect(page).not.toMatch(/NaN|undefined|\[object/);
  });

  it('draws every column, and its index by day up to the report’s', () => {
    expect(page.match(/<section class="card">/g)).toHaveLength(report.features.length + 1);
    expect(page).toContain('2025-06-29: 0.4');
    expect(page).not.toContain('98765');
    expect(page.match(/<svg /g)!.length).toBeGreaterThan(10);
  });
});

describe('weeks', () => {
  const week = (seed: number, change: Change = {}) => {
    const snapshot = snapshotOf(reference, rowsOf(seed, 4_000, change));
    return validate('drift-snapshot', JSON.parse(JSON.stringify(snapshot)));
  };

  it('differ by what changed between them', () => {
    const changes = { amount: (value: number) => value * 1.3, kind: (value: number) => (value === 0 ? 8 : value) };
    const { differences, gone, added } = compareSnapshots(week(21), week(22, changes), policy);
    expect([gone, added]).toEqual([[], []]);
    expect(differences.slice(0, 2).map(({ name }) => name)).toEqual(['kind', 'amount']);
    expect(differences[0]).toMatchObject({ came: [8], went: [0] });
    const [, amount, ...others] = differences;
    expect(amount!.median![1] / amount!.median![0]).toBeCloseTo(1.3, 1);
    expect(amount!.effect).toBeGreaterThan(0.1);
    for (const { psi } of others) expect(psi).toBeLessThan(0.05);
  });

  it('do not differ from themselves, and say which columns only one of them has', () => {
    const one = week(23);
    for (const { psi, effect, js } of compareSnapshots(one, one, policy).differences)
      expect([psi, effect, js]).toEqual([0, 0, 0]);
    const less = { ...one, columns: one.columns.filter(({ name }) => name !== 'amount') };
    expect(compareSnapshots(one, less, policy)).toMatchObject({ gone: ['amount'], added: [] });
    expect(compareSnapshots(less, one, policy)).toMatchObject({ gone: [], added: ['amount'] });
  });

  it('without rows have nothing to compare', () => {
    const empty = snapshotOf(reference, rowsOf(1, 0));
    for (const { psi } of compareSnapshots(week(23), empty, policy).differences) expect(psi).toBeNull();
  });
});
