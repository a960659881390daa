import { describe, expect, it } from 'vitest';
import { buildFxRates, type Fixing } from '../lookups/fixings.js';
import { expectQuoted } from './answer.js';
import { checkMoves, checkRates } from './checks.js';
import { daysToAsk, mergeFixings } from './merge.js';

const fixing = (day: string, rates: Record<string, number>): Fixing => ({ _id: day, base: 'EUR', rates });
const ratesOf = (fixings: Fixing[]): ReturnType<typeof buildFxRates> =>
  buildFxRates(fixings, { baseCurrency: 'USD', asOf: '2025-06-30T00:00:00Z', trailingDays: 45, sameDay: true });
const friday = fixing('2025-06-27', { USD: 1.1, GBP: 0.8 });
const monday = fixing('2025-06-30', { USD: 1.1, GBP: 0.8 });
const tolerance = { max_move: 0.1, max_changed_keys: 0.1, max_size_change: 0.1, max_age_business_days: 3 };
const none = (): boolean => false;

describe('checkMoves', () => {
  it('holds a rate that moved too far from the live one, and names it', () => {
    const live = ratesOf([friday]);
    const [check] = checkMoves(ratesOf([friday, fixing('2025-06-30', { USD: 1.1, GBP: 0.5 })]), live, none, tolerance);
    expect(check).toMatchObject({ name: 'largest move', passed: false, observed: 0.6000000000000001 });
    expect(check?.message).toContain('GBP moved 60.0 % (live, 2025-06-27, → 2025-06-30)');
    expect(checkMoves(ratesOf([friday, monday]), live, none, tolerance)[0]).toMatchObject({
      passed: true,
      observed: 0,
    });
  });

  it('judges new days one by one, but not what is live already', () => {
    const wild = fixing('2025-06-26', { USD: 1.1, GBP: 8 });
    const days = [fixing('2025-06-25', { USD: 1.1, GBP: 0.8 }), wild, friday, monday];
    const isNew = (day: string): boolean => day >= '2025-06-26';
    expect(checkMoves(ratesOf(days), ratesOf([monday]), isNew, tolerance)[0]?.passed).toBe(false);
    expect(checkMoves(ratesOf(days), ratesOf(days), isNew, tolerance)[0]?.passed).toBe(true);
    expect(checkMoves(ratesOf(days), ratesOf([monday]), none, tolerance)[0]?.passed).toBe(true);
  });

  it('has nothing to say without a tolerance, and no objection without a past', () => {
    expect(checkMoves(ratesOf([monday]), null, none, {})).toEqual([]);
    expect(checkMoves(ratesOf([monday]), null, () => true, tolerance)[0]).toMatchObject({ passed: true, observed: 0 });
  });
});

describe('checkRates', () => {
  const seen = [
    { currency: 'USD', rows: 7 },
    { currency: 'PLN', rows: 3 },
  ];

  it('names every currency of the window that is not quoted', () => {
    const [check] = checkRates(ratesOf([monday]), null, seen, '2025-06-30', tolerance);
    expect(check).toMatchObject({ name: 'currencies quoted', passed: false, observed: 1 });
    expect(check?.message).toContain('does not quote PLN (3 rows of the window)');
    expect(checkRates(ratesOf([monday]), null, [], '2025-06-30', tolerance)[0]).toMatchObject({
      passed: false,
      observed: null,
    });
  });

  it('counts currencies that came and went', () => {
    const more = fixing('2025-06-30', { USD: 1.1, GBP: 0.8, SEK: 11 });
    const find = (name: string): unknown =>
      checkRates(ratesOf([more]), ratesOf([friday]), seen.slice(0, 1), '2025-06-30', tolerance).find(
        (check) => check.name === name,
      );
    expect(find('changed currencies')).toMatchObject({ passed: false, observed: 1 / 3 });
    expect(find('size change')).toMatchObject({ passed: false, observed: 1 / 3 });
  });

  it.each([
    ['2025-06-30', 0, true],
    ['2025-07-03', 3, true],
    ['2025-07-06', 4, false],
  ])('a fixing of 30 June at %s is %d business days old: %s', (day, observed, passed) => {
    const checks = checkRates(ratesOf([monday]), null, seen, day, tolerance);
    expect(checks.find(({ name }) => name === 'age of the newest fixing')).toMatchObject({ observed, passed });
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
