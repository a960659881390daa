import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrequencyBuilder } from './frequency.js';
import { quantileOfSorted } from './quantile.js';
import { RobustStatsBuilder } from './robust-stats.js';

describe('quantileOfSorted', () => {
  it.each([
    [[1, 2, 3, 4], 0.5, 2.5],
    [[1, 2, 3, 4], 0.25, 1.75],
    [[1, 2, 3, 4], 0.995, 3.985],
    [[7], 0.3, 7],
    [[1, 2], 1, 2],
    [[1, 2], 0, 1],
    // what numpy 2 gives, to the last bit
    [[0.1, 0.2, 0.7], 0.9, 0.6],
    [[40.04, 631.35, 64.46].sort((a, b) => a - b), 0.995, 625.6811],
  ])('%j at %f is %f', (values, q, expected) => expect(quantileOfSorted(values, q)).toBe(expected));

  it('is NaN without values', () => expect(quantileOfSorted([], 0.5)).toBeNaN());

  it('lies within the values and rises with q', () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 });
    const q = fc.double({ noNaN: true, min: 0, max: 1 });
    fc.assert(
      fc.property(values, q, q, (some, a, b) => {
        const sorted = Float64Array.from(some).sort();
        const [low, high] = [Math.min(a, b), Math.max(a, b)];
        expect(quantileOfSorted(sorted, low)).toBeGreaterThanOrEqual(sorted[0]!);
        expect(quantileOfSorted(sorted, high)).toBeLessThanOrEqual(sorted[sorted.length - 1]!);
      }),
    );
  });
});

describe('RobustStatsBuilder', () => {
  it('gives exact figures per group, and the overall ones to a group with few rows', () => {
    const builder = new RobustStatsBuilder();
    for (const value of [4, 1, 3, 2]) builder.add('b', value);
    builder.add('a', 100);
    builder.add(null, 50);
    const stats = builder.build({ unit: 'USD', minRows: 2 });
    expect(Object.keys(stats.categories)).toEqual(['a', 'b']);
    expect(stats.categories['b']).toEqual({ count: 4, median: 2.5, iqr: 1.5, p995: 3.985 });
    expect(stats.overall).toMatchObject({ count: 6, median: 3.5 });
    expect(stats.categories['a']).toEqual({ ...stats.overall, count: 1 });
  });

  it('keeps a group whose name is a key of every object', () => {
    const builder = new RobustStatsBuilder();
    builder.add('__proto__', 1);
    const { categories } = JSON.parse(JSON.stringify(builder.build({ unit: 'x', minRows: 0 }))) as {
      categories: object;
    };
    expect(Object.keys(categories)).toEqual(['__proto__']);
  });

  it('refuses to make statistics of nothing', () => {
    expect(() => new RobustStatsBuilder().build({ unit: 'USD', minRows: 1 })).toThrow('no rows');
    expect(() => new FrequencyBuilder().build({ minCount: 1 })).toThrow('no rows');
  });

  it('does not depend on the order of rows', () => {
    const rows = fc.array(fc.tuple(fc.constantFrom('a', 'b', null), fc.integer({ min: 0, max: 100 })), {
      minLength: 1,
    });
    fc.assert(
      fc.property(rows, (some) => {
        const of = (list: typeof some): unknown => {
          const builder = new RobustStatsBuilder();
          for (const [group, value] of list) builder.add(group, value);
          return builder.build({ unit: 'x', minRows: 2 });
        };
        expect(of(some.toReversed())).toEqual(of(some));
      }),
    );
  });
});

describe('FrequencyBuilder', () => {
  it('leaves rare keys out and counts rows without a key in the total', () => {
    const builder = new FrequencyBuilder();
    for (const key of ['x', 'x', 'y', null]) builder.add(key);
    expect(builder.build({ minCount: 2 })).toEqual({ total: 4, floor: 0, frequencies: { x: 0.5 } });
  });
});
