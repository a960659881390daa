import { describe, expect, it } from 'vitest';
import type { LabelledPrediction } from '../../domain/predictions/types.js';
import { MaturedColumns, WindowColumns } from './columns.js';

const at = new Date('2025-06-29T12:00:00Z');
const prediction = (i: number, rest: Partial<LabelledPrediction> = {}): LabelledPrediction => ({
  transaction_id: `t${i}`,
  booked_at: new Date(at.getTime() + i),
  scored_at: at,
  model_version: '1',
  features: { a: i, b: i / 3 },
  segment: i % 2 === 0 ? 'transfer' : null,
  score: 0.1,
  calibrated_probability: i / 10_000,
  decision: i % 10 === 0 ? 'alert' : 'pass',
  label: null,
  ...rest,
});

const ofWindow = (): WindowColumns =>
  new WindowColumns({ from: 'f', to: 't', inputs: ['currency'], knownFrauds: new Set(['t10', 't12']) });

describe('columns', () => {
  it('hold every row in order, beyond their first size', () => {
    const columns = ofWindow();
    for (let from = 0; from < 5000; from += 700)
      columns.add(Array.from({ length: Math.min(700, 5000 - from) }, (_, i) => prediction(from + i)));
    const window = columns.window(null);
    expect(window).toMatchObject({ from: 'f', to: 't', matured: null });
    for (const column of [window.bookedAtMs, window.calibrated, window.alerts, window.segments, window.features['a']])
      expect(column).toHaveLength(5000);
    expect(window.features['b']?.[4999]).toBe(Math.fround(4999 / 3));
    expect(window.bookedAtMs[4999]).toBe(at.getTime() + 4999);
    expect([window.alerts[4990], window.alerts[4991]]).toEqual([1, 0]);
    expect([window.segments[4990], window.segments[4991]]).toEqual(['transfer', null]);
  });

  it('are NaN where a row lacks a feature, early or late, or has what is no number', () => {
    const columns = ofWindow();
    columns.add([
      prediction(0, { features: { a: 1 } }),
      prediction(1, { features: { a: 2, late: 5 } }),
      prediction(2, { features: { late: 6, a: '7' as unknown as number }, calibrated_probability: NaN }),
    ]);
    const { features, calibrated } = columns.window(null);
    expect(Array.from(features['a'] ?? [])).toEqual([1, 2, NaN]);
    expect(Array.from(features['late'] ?? [])).toEqual([NaN, 5, 6]);
    expect(calibrated[2]).toBeNaN();
  });

  it('have the texts of the request that are asked for, and apart the rows that are known as frauds', () => {
    const columns = ofWindow();
    columns.add([
      { ...prediction(9), input: { currency: 'EUR', amount: 3 } },
      { ...prediction(10), input: { currency: 7 } },
      prediction(12),
    ]);
    const { inputs, knownFrauds } = columns.window(null);
    expect(inputs).toEqual({ currency: ['EUR', null, null] });
    expect(Array.from(knownFrauds?.calibrated ?? [])).toEqual([0.001, 0.0012]);
    expect(Array.from(knownFrauds?.alerts ?? [])).toEqual([1, 0]);
    expect(Array.from(knownFrauds?.bookedAtMs ?? [])).toEqual([at.getTime() + 10, at.getTime() + 12]);
  });

  it('of matured rows keep those with a label, and are null without one', () => {
    const columns = new MaturedColumns();
    columns.add([prediction(0), prediction(1)]);
    expect(columns.matured('f', 't')).toBeNull();
    columns.add([prediction(10, { label: true }), prediction(3, { label: false }), prediction(4)]);
    const matured = columns.matured('f', 't');
    expect(Array.from(matured?.labels ?? [])).toEqual([1, 0]);
    expect(Array.from(matured?.alerts ?? [])).toEqual([1, 0]);
    expect(Array.from(matured?.calibrated ?? [])).toEqual([0.001, 0.0003]);
  });
});
