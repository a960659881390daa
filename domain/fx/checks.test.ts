import { describe, expect, it } from 'vitest';
import { buildFxRates, type Fixing } from '../lookups/fixings.js';
import { expectQuoted } from './answer.js';
import { checkRates, largestMove } from './checks.js';
import { daysToAsk, mergeFixings } from './merge.js';

const fixing = (day: string, rates: Record<string, number>): Fixing => ({ _id: day, base: 'EUR', rates });
const ratesOf = (fixings: Fixing[]): ReturnType<typeof buildFxRates> =>
  buildFxRates(fixings, { baseCurrency: 'USD', asOf: '2025-06-30T00:00:00Z', trailingDays: 45, sameDay: true });
const friday = fixing('2025-06-27', { USD: 1.1, GBP: 0.8 });
const monday = fixing('2025-06-30', { USD: 1.1, GBP: 0.8 });
const tolerance = { max_move: 0.1, max_changed_keys: 0.1, max_size_change: 0.1, max_age_business_days: 3 };
const none = (): boolean => false;

describe('largestMove', () => {
  it('is that of the newest rates against the live ones, the same up and down', () => {
    const live = ratesOf([friday]);
    const half = ratesOf([friday, fixing('2025-06-30', { USD: 1.1, GBP: 0.4 })]);
    expect(largestMove(half, live, none)).toEqual({ largest: 1, of: 'GBP, 2025-06-27, live, → 2025-06-30' });
    expect(largestMove(live, half, none)?.largest).toBe(1);
    expect(largestMove(ratesOf([friday, monday]), live, none)?.largest).toBe(0);
  });

  it('looks at new days one by one, but not at what is live already', () => {
    const wild = fixing('2025-06-26', { USD: 1.1, GBP: 8 });
    const days = [fixing('2025-06-25', { USD: 1.1, GBP: 0.8 }), wild, friday, monday];
    const isNew = (day: string): boolean => day >= '2025-06-26';
    expect(largestMove(ratesOf(days), ratesOf([monday]), isNew)?.largest).toBeCloseTo(9, 9);
    expect(largestMove(ratesOf(days), null, isNew)?.of).toBe('GBP, 2025-06-25 → 2025-06-26');
    expect(largestMove(ratesOf(days), ratesOf(days), isNew)?.largest).toBe(0);
    expect(largestMove(ratesOf(days), ratesOf([monday]), none)?.largest).toBe(0);
  });

  it('is nothing where nothing is there to compare', () => {
    expect(largestMove(ratesOf([monday]), null, () => true)).toBeNull();
  });
});

describe('checkRates', () => {
  const seen = [
    { currency: 'USD', rows: 7 },
    { currency: 'PLN', rows: 3 },
  ];
  const check = (name: string, ...args: Parameters<typeof checkRates>): unknown =>
    checkRates(...args).find((one) => one.name === name);

  it('names every currency of the window that is not quoted', () => {
    const quoted = check('currencies_quoted', ratesOf([monday]), null, null, seen, '2025-06-30', tolerance);
    expect(quoted).toMatchObject({
      passed: false,
      observed: 1,
      message: expect.stringContaining('does not quote "PLN" (3 rows of the window)'),
    });
    const usd = check('currencies_quoted', ratesOf([monday]), null, null, seen.slice(0, 1), '2025-06-30', tolerance);
    expect(usd).toMatchObject({ passed: true, observed: 0 });
    const empty = check('currencies_quoted', ratesOf([monday]), null, null, [], '2025-06-30', tolerance);
    expect(empty).toMatchObject({ passed: false, observed: null });
  });

  it('compares with what is live', () => {
    const more = ratesOf([fixing('2025-06-30', { USD: 1.1, GBP: 0.4, SEK: 11 })]);
    const live = ratesOf([friday]);
    const args = [more, live, largestMove(more, live, none), seen, '2025-06-30', tolerance] as const;
    expect(check('changed_keys', ...args)).toMatchObject({ passed: false, observed: 0.25 });
    expect(check('size_change', ...args)).toMatchObject({ passed: false, observed: 1 / 3 });
    expect(check('largest_move', ...args)).toMatchObject({ passed: false, observed: 1 });
  });

  it('judges new days where nothing is live yet', () => {
    const days = ratesOf([friday, fixing('2025-06-30', { USD: 1.1, GBP: 8 })]);
    const move = largestMove(days, null, () => true);
    expect(
      checkRates(days, null, move, seen, '2025-06-30', tolerance).map(({ name, passed }) => [name, passed]),
    ).toEqual([
      ['currencies_quoted', false],
      ['fixing_age', true],
      ['largest_move', false],
    ]);
    expect(checkRates(days, null, null, seen, '2025-06-30', {})).toHaveLength(1);
  });

  it.each([
    ['2025-06-30', 0, true],
    ['2025-07-03', 3, true],
    ['2025-07-06', 4, false],
  ])('a fixing of 30 June at %s is %d business days old: %s', (day, observed, passed) => {
    expect(check('fixing_age', ratesOf([monday]), null, null, seen, day, tolerance)).toMatchObject({
      observed,
      passed,
    });
  });
});

describe('daysToAsk', () => {
  it('begins at the first business day that is missing', () => {
    const stored = new Set(['2025-06-25', '2025-06-26', '2025-06-30']);
    expect(daysToAsk(stored, '2025-06-25', '2025-07-01')).toEqual({
      from: '2025-06-27',
      to: '2025-07-01',
      missing: ['2025-06-27', '2025-07-01'],
    });
  });

  it('asks for the latest business day where nothing is missing', () => {
    const stored = new Set(['2025-06-26', '2025-06-27']);
    expect(daysToAsk(stored, '2025-06-26', '2025-06-29')).toEqual({
      from: '2025-06-27',
      to: '2025-06-29',
      missing: [],
    });
  });
});

describe('mergeFixings', () => {
  it('lets a stored day stand and says that the source differs', () => {
    const other = fixing('2025-06-27', { USD: 1.1, GBP: 0.9 });
    const { added, notes } = mergeFixings([friday], [other, monday], 'USD');
    expect(added).toEqual([monday]);
    expect(notes).toEqual([expect.stringMatching(/stored fixing of 2025-06-27 stands.*GBP by 11\.1 %/)]);
  });

  it('sees the same rates in another base', () => {
    const inDollars: Fixing = { _id: '2025-06-27', base: 'USD', rates: { EUR: 1 / 1.1, GBP: 0.8 / 1.1 } };
    expect(mergeFixings([friday], [inDollars], 'USD')).toEqual({ added: [], notes: [] });
  });
});

describe('expectQuoted', () => {
  it('refuses a fixing without the base currency', () => {
    expect(() => expectQuoted([fixing('2025-06-30', { GBP: 0.8 })], 'USD')).toThrow(/2025-06-30 does not quote USD/);
    expect(() => expectQuoted([fixing('2025-06-30', { GBP: 0.8 })], 'EUR')).not.toThrow();
  });
});
