import { describe, expect, it } from 'vitest';
import type { GoldenFeatures } from '../../schemas/types.js';
import { tinyRegistry, tinyTransaction } from '../../test/support/tiny-bundle.js';
import { goldenVectors, rawRows } from './golden.js';

const lookups = {
  kinds: { canonical: ['card'], synonyms: {} },
  merchants: { total: 1, floor: 0, frequencies: {} },
  stats: { unit: 'USD', overall: { count: 1, median: 1, iqr: 1, p995: 2 }, categories: {} },
  rates: {
    base_currency: 'USD',
    last_updated: '2025-06-19T14:00:00Z',
    fixing_date: '2025-06-19',
    exchange_rates: { USD: 1, EUR: 1.1 },
    trailing: [],
  },
};
const names = tinyRegistry.features.map(({ name }) => name);
const answer = { score: 0.5, calibrated_probability: 0.4, anomaly_score: 0.3 };
const golden = (...currencies: string[]): GoldenFeatures => ({
  feature_names: names,
  rows: currencies.map((currency, i) => ({
    row_id: `r${i}`,
    raw: { ...tinyTransaction, currency, merchant_name: null },
    features: [1, 2, 3, 4, 5, 6],
    ...answer,
  })),
});
const scored = (n: number, change = 0) => ({
  scores: Array<number>(n).fill(0.5 + change),
  calibrated: Array<number>(n).fill(0.4),
  anomaly: Array<number>(n).fill(0.3),
});

describe('golden vectors', () => {
  it('leaves out a transaction that the lookups refuse, and nulls in it', () => {
    const rows = rawRows(tinyRegistry, lookups, golden('EUR', 'XXX'));
    expect(rows).toHaveLength(1);
    expect(rows[0]?.transaction).not.toHaveProperty('merchant_name');
    expect(() => rawRows(tinyRegistry, lookups, golden('XXX'))).toThrow(/none of the golden transactions.*r0/);
    expect(() => rawRows(tinyRegistry, lookups, { ...golden('EUR'), feature_names: ['other'] })).toThrow(
      'another order',
    );
  });

  it("holds training's own layer and the raw one", () => {
    const source = golden('EUR', 'USD');
    const vectors = goldenVectors(source, rawRows(tinyRegistry, lookups, source), scored(4));
    expect(vectors.features).toEqual([
      { features: [1, 2, 3, 4, 5, 6], ...answer },
      { features: [1, 2, 3, 4, 5, 6], ...answer },
    ]);
    expect(vectors.raw[1]).toMatchObject({ transaction: { currency: 'USD' }, ...answer });
  });

  it('refuses models that do not score as training did, and answers that are missing or NaN', () => {
    const source = golden('EUR');
    const raw = rawRows(tinyRegistry, lookups, source);
    expect(() => goldenVectors(source, raw, scored(2, 0.00002))).toThrow('not the models that were trained');
    expect(() => goldenVectors(source, raw, scored(2, NaN))).toThrow('not the models that were trained');
    expect(() => goldenVectors(source, raw, scored(1))).toThrow('1 scores came back for 2 rows');
  });
});
