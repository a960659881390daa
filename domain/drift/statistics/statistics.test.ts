import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomOf } from '../../../test/support/random.js';
import { chiSquaredContingency, compareShares, mergeSmall, MIN_EXPECTED } from './chi-squared.js';
import { jensenShannonDistance, totalVariation, wassersteinDistance } from './distances.js';
import { benjaminiHochberg } from './false-discovery.js';
import { kolmogorovTail } from './kolmogorov.js';
import { ksProbability, ksTwoSample } from './ks.js';
import { populationStability, stabilityByChance } from './psi.js';
import { spearman } from './spearman.js';

const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
const sample = fc.array(finite, { minLength: 1, maxLength: 60 }).map((values) => values.sort((a, b) => a - b));
const counts = fc.array(fc.integer({ min: 0, max: 500 }), { minLength: 2, maxLength: 12 });
const tables = fc
  .integer({ min: 2, max: 12 })
  .chain((columns) =>
    fc.tuple(
      ...[0, 1].map(() => fc.array(fc.integer({ min: 0, max: 400 }), { minLength: columns, maxLength: columns })),
    ),
  )
  .filter(([a, b]) => a!.some((n) => n > 0) && b!.some((n) => n > 0)) as fc.Arbitrary<[number[], number[]]>;
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const shares = tables.map(([a, b]) => [a.map((n) => n / sum(a)), b.map((n) => n / sum(b))] as const);

describe('Kolmogorov-Smirnov', () => {
  it('does not care which sample comes first, and finds none between a sample and itself', () => {
    fc.assert(
      fc.property(sample, sample, (a, b) => {
        expect(ksTwoSample(a, b)).toEqual(ksTwoSample(b, a));
        expect(ksTwoSample(a, a)).toEqual({ statistic: 0, p: 1 });
      }),
    );
  });

  it('finds a larger distance less likely, whatever the branch', () => {
    const n = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 300, max: 200_000 }));
    const distance = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(n, distance, distance, (rows, a, b) => {
        const [small, large] = [kolmogorovTail(rows, Math.min(a, b)), kolmogorovTail(rows, Math.max(a, b))];
        expect(small).toBeGreaterThanOrEqual(large - 1e-9);
        expect(large).toBeGreaterThanOrEqual(0);
        expect(small).toBeLessThanOrEqual(1);
      }),
      { numRuns: 60 },
    );
  });

  it('has an answer for single rows', () => expect(ksProbability(1, 1, 1)).toBe(0));
});

describe('chi-squared', () => {
  it('finds nothing in rows of the same shares, and nothing to test in one column', () => {
    expect(chiSquaredContingency([10, 20, 30], [100, 200, 300]).p).toBe(1);
    expect(chiSquaredContingency([10], [20])).toEqual({ statistic: 0, p: 1, degrees: 0 });
    expect(chiSquaredContingency([0, 0], [1, 2]).p).toBe(1);
  });

  it('merges until each cell can expect enough, and loses no row', () => {
    fc.assert(
      fc.property(tables, ([a, b]) => {
        const merged = mergeSmall(a, b);
        expect(sum(merged.a)).toBe(sum(a));
        expect(sum(merged.b)).toBe(sum(b));
        if (merged.a.length < 2) return;
        const smaller = Math.min(sum(a), sum(b)) / (sum(a) + sum(b));
        for (const [i, count] of merged.a.entries())
          expect((count + merged.b[i]!) * smaller).toBeGreaterThanOrEqual(MIN_EXPECTED);
      }),
    );
  });

  it('compares shares exactly where few are expected', () => {
    expect(compareShares({ hits: 44, rows: 880 }, { hits: 0, rows: 80_000 })).toBeLessThan(1e-50);
    expect(compareShares({ hits: 0, rows: 880 }, { hits: 0, rows: 80_000 })).toBe(1);
    expect(compareShares({ hits: 1, rows: 880 }, { hits: 0, rows: 80_000 })).toBeCloseTo(880 / 80_880, 9);
  });
});

describe('population stability', () => {
  it('is what one computes by hand', () => {
    // (0.6 − 0.5) ln 1.2 + (0.4 − 0.5) ln 0.8
    expect(populationStability([0.5, 0.5], [0.6, 0.4], 1e-4)).toBeCloseTo(0.018232155679 + 0.022314355131, 11);
    // an empty bin counts as epsilon: (0.05 − 0.0001) ln 500 + (0.95 − 1) ln 0.95
    expect(populationStability([1, 0], [0.95, 0.05], 1e-4)).toBeCloseTo(0.31010894 + 0.00256466, 7);
  });

  it('is never negative, nothing between equals, and the same both ways', () => {
    fc.assert(
      fc.property(shares, ([a, b]) => {
        expect(populationStability(a, b, 1e-4)).toBeGreaterThanOrEqual(0);
        expect(populationStability(a, a, 1e-4)).toBe(0);
        expect(populationStability(a, b, 1e-4)).toBeCloseTo(populationStability(b, a, 1e-4), 12);
      }),
    );
  });

  it('exceeds its chance limit as often as the limit says', () => {
    const random = randomOf(7);
    const [bins, n, m, chance, rounds] = [10, 700, 9_000, 0.05, 2_000];
    const drawn = (rows: number): number[] => {
      const found = Array<number>(bins).fill(0);
      for (let row = 0; row < rows; row++) found[Math.floor(random() * bins)]! += 1 / rows;
      return found;
    };
    const limit = stabilityByChance(bins, n, m, chance);
    let above = 0;
    for (let round = 0; round < rounds; round++) if (populationStability(drawn(m), drawn(n), 1e-4) >= limit) above++;
    expect(above / rounds).toBeGreaterThan(0.035);
    expect(above / rounds).toBeLessThan(0.065);
  });

  it('has no chance limit without bins or rows', () => {
    expect(stabilityByChance(1, 10, 10, 0.01)).toBe(0);
    expect(stabilityByChance(5, 0, 10, 0.01)).toBe(0);
  });
});

describe('distances', () => {
  it('are the same both ways, and stay in their bounds', () => {
    fc.assert(
      fc.property(shares, ([a, b]) => {
        expect(jensenShannonDistance(a, b)).toBeCloseTo(jensenShannonDistance(b, a), 12);
        expect(jensenShannonDistance(a, b)).toBeLessThanOrEqual(Math.sqrt(Math.LN2) + 1e-12);
        expect(totalVariation(a, b)).toBeLessThanOrEqual(1 + 1e-12);
        expect(totalVariation(a, a)).toBe(0);
      }),
    );
  });

  it('a sample that was moved lies as far away as it was moved', () => {
    fc.assert(
      fc.property(sample, fc.integer({ min: -1000, max: 1000 }), (values, by) => {
        const moved = values.map((value) => value + by);
        expect(wassersteinDistance({ values }, { values: moved })).toBeCloseTo(Math.abs(by), 5);
      }),
    );
  });
});

describe('false-discovery control', () => {
  it('raises every p, keeps their order and leaves out what was not tested', () => {
    const p = fc.double({ min: 0, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(p, { minLength: 1, maxLength: 30 }), (ps) => {
        const adjusted = benjaminiHochberg(ps) as number[];
        const order = ps.map((_, i) => i).sort((a, b) => ps[a]! - ps[b]!);
        for (const [rank, at] of order.entries()) {
          expect(adjusted[at]).toBeGreaterThanOrEqual(ps[at]! * (1 - 1e-12));
          expect(adjusted[at]).toBeLessThanOrEqual(1);
          if (rank > 0) expect(adjusted[at]).toBeGreaterThanOrEqual(adjusted[order[rank - 1]!]!);
        }
        const withNull = benjaminiHochberg([null, ...ps, null]);
        expect(withNull).toEqual([null, ...adjusted, null]);
      }),
    );
  });
});

describe('rank correlation', () => {
  it('sees order only, and has none to see in two pairs or in ties', () => {
    fc.assert(
      fc.property(counts, (values) => {
        const distinct = values.map((value, i) => value * 100 + i);
        const grown = distinct.map((value) => value ** 3);
        const result = spearman(distinct, grown);
        if (values.length < 3) expect(result).toBeNull();
        else expect(result).toEqual({ statistic: 1, p: 0 });
      }),
    );
    expect(spearman([1, 2, 3], [5, 5, 5])).toBeNull();
    expect(spearman([1, 2, 3, 4], [4, 3, 2, 1])).toEqual({ statistic: -1, p: 0 });
  });
});
