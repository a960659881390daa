import type { FxRates } from '../../schemas/types.js';

const DAY_MS = 86_400_000;

/** Rates by booking time. */
export interface Rates {
  oldestFixing: string;
  /**
   * Position of the last fixing dated strictly before the UTC day of the booking; -1 when every fixing is of that day or later.
   * @param bookedAtMs epoch milliseconds
   */
  fixingBefore(bookedAtMs: number): number;
  /** The fixing's date, YYYY-MM-DD. */
  dateOf(position: number): string;
  /** Value of one unit in the base currency; NaN for a currency that this fixing does not quote. */
  rateAt(position: number, currency: string): number;
}

/**
 * The one rule by which an amount is converted, in training and in scoring: the last fixing dated strictly before the booking day. The fixing
 * of the day itself comes out in the afternoon, so a morning's transaction could not have known it.
 */
export function compileRates({ fixing_date, exchange_rates, trailing }: FxRates): Rates {
  const fixings = [{ date: fixing_date, exchange_rates }, ...trailing].sort((a, b) => (a.date < b.date ? -1 : 1));
  const days = fixings.map(({ date }) => Date.parse(date) / DAY_MS);
  const firstDay = days[0] ?? 0;
  const lastDay = days[days.length - 1] ?? 0;
  // Position by day from the oldest fixing to the day after the newest: a look-up instead of a search per row.
  const byDay = new Int32Array(lastDay - firstDay + 2);
  let position = -1;
  for (let day = 0; day < byDay.length; day++) {
    byDay[day] = position;
    if (days[position + 1] === firstDay + day) position++;
  }
  const byCurrency = new Map<string, Float64Array>();
  for (const [at, fixing] of fixings.entries()) {
    for (const [currency, rate] of Object.entries(fixing.exchange_rates)) {
      let column = byCurrency.get(currency);
      if (column === undefined) byCurrency.set(currency, (column = new Float64Array(fixings.length).fill(NaN)));
      column[at] = rate;
    }
  }
  const dateOf = (at: number): string => fixings[at]?.date ?? '';
  return {
    oldestFixing: dateOf(0),
    fixingBefore(bookedAtMs) {
      const day = Math.floor(bookedAtMs / DAY_MS) - firstDay;
      return day < 0 ? -1 : (byDay[Math.min(day, byDay.length - 1)] ?? -1);
    },
    dateOf,
    rateAt: (at, currency) => byCurrency.get(currency)?.[at] ?? NaN,
  };
}
