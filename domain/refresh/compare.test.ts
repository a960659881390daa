import { describe, expect, it } from 'vitest';
import type { CategoryStats, MerchantFreqMap, Stats } from '../../schemas/types.js';
import { compareFrequencies } from './compare-frequency.js';
import { compareStats } from './compare-stats.js';
import { checkDifference, checkRefused, factorBetween } from './compare.js';

const frequencies = (total: number, counts: Record<string, number>): MerchantFreqMap => ({
  total,
  floor: 0,
  frequencies: Object.fromEntries(Object.entries(counts).map(([key, count]) => [key, count / total])),
});
const stats = (count: number, median = 40, iqr = 70, p995 = 900): Stats => ({ count, median, iqr, p995 });
const categories = (of: Record<string, Stats>, overall = stats(10_000)): CategoryStats => ({
  unit: 'USD',
  overall,
  categories: of,
});

describe('factorBetween', () => {
  it.each([
    [2, 1, 1],
    [1, 2, 1],
    [3, 3, 0],
    [0, 0, 0],
    [0, 1, Infinity],
  ])('%d and %d: %d', (a, b, expected) => expect(factorBetween(a, b)).toBe(expected));
});

describe('compareFrequencies', () => {
  it('compares shares, not counts, and looks at keys with enough rows only', () => {
    const live = frequencies(10_000, { a: 500, b: 200, rare: 20 });
    const own = frequencies(20_000, { a: 500, b: 400, rare: 10 });
    expect(compareFrequencies(own, live, 5)).toMatchObject({
      size: { live: 3, own: 3 },
      changed: { keys: 0, of: 3 },
      move: { largest: 1, of: 'a: 5 % live, 2.5 % now' },
    });
  });

  it('sees a large key that went and one that came, and lets rare ones come and go', () => {
    const live = frequencies(10_000, { a: 5_000, gone: 500, rare: 6 });
    const went = compareFrequencies(frequencies(10_000, { a: 5_000, other: 7 }), live, 5);
    expect(went.changed).toEqual({ keys: 3, of: 4 });
    expect(went.move?.largest).toBe(99);
    const came = compareFrequencies(live, frequencies(10_000, { a: 5_000 }), 5);
    expect(came.move).toMatchObject({ largest: 99, of: 'gone: 0.05 % live, 5 % now' });
  });

  it('has no move where no key has enough rows', () =>
    expect(compareFrequencies(frequencies(99, { a: 99 }), frequencies(99, { a: 9 }), 5).move).toBeNull());
});

describe('compareStats', () => {
  it('measures a median in ranges of the live group, a range and a cap by their factor', () => {
    const live = categories({ a: stats(5_000, 40, 70, 900) });
    expect(compareStats(categories({ a: stats(5_000, 75, 70, 900) }), live).move).toMatchObject({ largest: 0.5 });
    expect(compareStats(categories({ a: stats(5_000, 40, 35, 900) }), live).move).toMatchObject({
      largest: 1,
      of: 'iqr of a: 70 live, 35 now',
    });
    expect(compareStats(categories({ a: stats(5_000, 40, 70, 2_700) }), live).move?.largest).toBe(2);
  });

  it('compares no cap of fewer than 2,000 rows and nothing of fewer than 200', () => {
    const small = compareStats(categories({ a: stats(1_999, 40, 70, 1) }), categories({ a: stats(5_000) }));
    expect(small.move?.largest).toBe(0);
    const tiny = compareStats(categories({ a: stats(199, 1, 1, 1) }), categories({ a: stats(5_000) }));
    expect(tiny.move?.largest).toBe(0);
    expect(compareStats(categories({}, stats(10)), categories({}, stats(10))).move).toBeNull();
  });

  it('takes a range of 0 as 1, as features do', () =>
    expect(compareStats(categories({ a: stats(300, 3, 0) }), categories({ a: stats(300, 2, 0) })).move?.largest).toBe(
      1,
    ));

  it('counts categories that came or went', () =>
    expect(
      compareStats(categories({ a: stats(1), b: stats(1) }), categories({ b: stats(1), c: stats(1) })),
    ).toMatchObject({
      size: { live: 2, own: 2 },
      changed: { keys: 2, of: 3 },
    }));
});

describe('checkDifference', () => {
  const same = { size: { live: 10, own: 12 }, changed: { keys: 2, of: 12 }, move: { largest: 0.5, of: 'a' } };

  it('has a row for each limit that is declared, and the limit itself passes', () => {
    const checks = checkDifference(same, { max_size_change: 0.2, max_move: 0.5 });
    expect(checks.map(({ name, passed }) => [name, passed])).toEqual([
      ['size_change', true],
      ['largest_move', true],
    ]);
    expect(checkDifference(same, { max_move: 0.4 })[0]).toEqual({
      name: 'largest_move',
      passed: false,
      observed: 0.5,
      required: '≤ 0.4',
      message: 'largest_move is 0.5 (a)',
    });
  });

  it('does not pass what could not be observed', () => {
    const nothing = { size: { live: 0, own: 3 }, changed: { keys: 0, of: 0 }, move: null };
    const checks = checkDifference(nothing, { max_size_change: 1, max_changed_keys: 1, max_move: 1 });
    expect(checks.map(({ passed, observed }) => [passed, observed])).toEqual([
      [false, null],
      [false, null],
      [false, null],
    ]);
  });

  it('stays within what JSON can say', () => {
    const [check] = checkDifference({ ...same, move: { largest: Infinity, of: 'a' } }, { max_move: 1 });
    expect(check).toMatchObject({ passed: false, observed: Number.MAX_VALUE });
  });
});

it('refused rows pass up to the tolerated fraction', () => {
  expect(checkRefused({ refused: 1, rows: 1000 }, 0.001)).toMatchObject({ passed: true, observed: 0.001 });
  expect(checkRefused({ refused: 2, rows: 1000 }, 0.001).passed).toBe(false);
  expect(checkRefused({ refused: 0, rows: 0 }, 0.001)).toMatchObject({ passed: false, observed: null });
});
