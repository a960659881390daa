import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { buildFxRates, worthInBase, type Fixing } from './fixings.js';
import { compileRates } from './rates.js';

const DAY_MS = 86_400_000;
const fixing = (day: string, USD: number, GBP?: number): Fixing => ({
  _id: day,
  base: 'EUR',
  rates: { USD, ...(GBP === undefined ? {} : { GBP }) },
});
const fixings = [fixing('2025-06-26', 1.2, 0.8), fixing('2025-06-27', 1.1, 0.9), fixing('2025-06-30', 1.5)];

describe('worthInBase', () => {
  it('turns units per euro into the worth of a unit', () => {
    expect(worthInBase(fixings[0]!, 'USD')).toEqual({ EUR: 1.2, GBP: 1.2 / 0.8, USD: 1 });
    expect(worthInBase(fixings[0]!, 'EUR')).toEqual({ EUR: 1, GBP: 1 / 0.8, USD: 1 / 1.2 });
  });

  it('says when the base currency is not quoted', () => {
    expect(() => worthInBase(fixings[2]!, 'GBP')).toThrow('2025-06-30 does not quote the base currency GBP');
  });
});

describe('buildFxRates', () => {
  it('takes the newest fixing dated before the day of asOf, and the trailing ones', () => {
    const rates = buildFxRates(fixings.toReversed(), {
      baseCurrency: 'USD',
      asOf: '2025-06-30T18:00:00Z',
      trailingDays: 45,
    });
    expect(rates).toMatchObject({
      base_currency: 'USD',
      fixing_date: '2025-06-27',
      last_updated: '2025-06-30T18:00:00.000Z',
    });
    expect(rates.trailing.map(({ date }) => date)).toEqual(['2025-06-26']);
    const short = buildFxRates(fixings, { baseCurrency: 'USD', asOf: '2025-06-30T18:00:00Z', trailingDays: 0 });
    expect(short.trailing).toEqual([]);
  });

  it('says when there is none', () => {
    expect(() => buildFxRates(fixings, { baseCurrency: 'USD', asOf: '2025-06-26T00:00:00Z', trailingDays: 9 })).toThrow(
      'no fixing is dated before 2025-06-26',
    );
  });
});

describe('compileRates', () => {
  const rates = compileRates(
    buildFxRates(fixings, { baseCurrency: 'USD', asOf: '2025-07-02T00:00:00Z', trailingDays: 45 }),
  );
  const fixingOf = (time: string): string | null => {
    const at = rates.fixingBefore(Date.parse(time));
    return at < 0 ? null : rates.dateOf(at);
  };

  it.each([
    ['2025-06-26T23:59:59Z', null],
    ['2025-06-27T00:00:00Z', '2025-06-26'],
    ['2025-06-27T23:59:59Z', '2025-06-26'],
    ['2025-06-28T00:00:00Z', '2025-06-27'],
    ['2025-06-30T12:00:00Z', '2025-06-27'],
    ['2025-07-01T00:00:00+02:00', '2025-06-27'],
    ['2025-07-01T00:00:00Z', '2025-06-30'],
    ['2026-01-01T00:00:00Z', '2025-06-30'],
  ])('a booking at %s is converted at the fixing of %s', (time, expected) => expect(fixingOf(time)).toBe(expected));

  it('does not go further back for a currency that the fixing does not quote', () => {
    expect(rates.rateAt(rates.fixingBefore(Date.parse('2025-07-01T00:00:00Z')), 'GBP')).toBeNaN();
    expect(rates.rateAt(0, 'toString')).toBeNaN();
  });

  it('follows the rule for any fixings and any booking', () => {
    const day = fc.integer({ min: 0, max: 400 });
    fc.assert(
      fc.property(
        fc.uniqueArray(day, { minLength: 1, maxLength: 40 }),
        fc.integer({ min: 0, max: 400 * DAY_MS }),
        (days, ms) => {
          const origin = Date.parse('2024-01-01');
          const text = (n: number): string => new Date(origin + n * DAY_MS).toISOString().slice(0, 10);
          const all = days.map((n) => fixing(text(n), n + 1));
          const compiled = compileRates(
            buildFxRates(all, { baseCurrency: 'USD', asOf: '2026-01-01T00:00:00Z', trailingDays: 9999 }),
          );
          const before = days.filter((n) => n < Math.floor(ms / DAY_MS));
          const at = compiled.fixingBefore(origin + ms);
          expect(at < 0 ? null : compiled.dateOf(at)).toBe(before.length === 0 ? null : text(Math.max(...before)));
          if (at >= 0) expect(compiled.rateAt(at, 'EUR')).toBe(Math.max(...before) + 1);
        },
      ),
    );
  });
});
