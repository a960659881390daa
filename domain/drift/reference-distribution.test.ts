import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { randomOf } from '../../test/support/random.js';
import { quantileOfSorted } from '../lookups/quantile.js';
import { numericBins } from './bins.js';
import { ReferenceDistribution } from './reference-distribution.js';
import { ksTwoSample } from './statistics/ks.js';

const known = (sorted: ArrayLike<number>): ReferenceDistribution =>
  new ReferenceDistribution(Array.from({ length: 1001 }, (_, i) => quantileOfSorted(sorted, i / 1000)));

describe('a distribution known by its quantiles', () => {
  it('gives the distance that the rows themselves give, to its resolution', () => {
    const random = randomOf(3);
    for (const draw of [
      random,
      () => Math.floor(random() * 12),
      () => Math.max(0, random() - 0.4),
      () => random() ** 4,
    ]) {
      const reference = Float64Array.from({ length: 20_000 }, draw).sort();
      const window = Float64Array.from({ length: 900 }, () => draw() * 1.07).sort();
      const exact = ksTwoSample(reference, window).statistic;
      expect(Math.abs(known(reference).distance(window) - exact)).toBeLessThan(0.0025);
    }
  });

  it('rises from 0 to 1', () => {
    const value = fc.double({ min: -100, max: 100, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 50 }), value, value, (values, x, y) => {
        const distribution = new ReferenceDistribution(values.sort((a, b) => a - b));
        const [low, high] = [Math.min(x, y), Math.max(x, y)];
        expect(distribution.cdf(low)).toBeLessThanOrEqual(distribution.cdf(high));
        expect(distribution.cdfBefore(low)).toBeLessThanOrEqual(distribution.cdf(low));
        expect(distribution.cdf(values.at(-1)!)).toBe(1);
        expect(distribution.cdfBefore(values[0]!)).toBe(0);
        expect(distribution.distanceTo(distribution)).toBe(0);
      }),
    );
  });

  it('knows a value that all rows have', () => {
    const constant = new ReferenceDistribution([5, 5, 5]);
    expect([constant.cdfBefore(5), constant.cdf(5), constant.cdf(4.9), constant.cdf(5.1)]).toEqual([0, 1, 0, 1]);
    expect(constant.distance([5, 5])).toBe(0);
    expect(constant.distance([5, 6])).toBe(0.5);
    expect(constant.distance([4])).toBe(1);
  });
});

describe('bins', () => {
  it('hold the same share each, closed on the right', () => {
    const bins = numericBins(known(Float64Array.from({ length: 1001 }, (_, i) => i)), 4);
    expect(bins.reference).toEqual([0.25, 0.25, 0.25, 0.25]);
    expect(bins.count([250, 250.5, 1000, 5000, -3])).toEqual([2, 1, 0, 2]);
    expect(bins.labels).toEqual(['≤ 250', '250 – 500', '500 – 750', '> 750']);
  });

  it('are fewer where many rows have one value', () => {
    const bins = numericBins(
      known([...Array<number>(705).fill(0), ...Array.from({ length: 295 }, (_, i) => i + 1)]),
      10,
    );
    expect(bins.labels).toHaveLength(4);
    expect(bins.reference[0]).toBeCloseTo(0.7, 2);
    expect(bins.reference.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(numericBins(new ReferenceDistribution([2, 2]), 10).reference).toEqual([1, 0]);
  });
});
