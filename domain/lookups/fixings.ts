import type { FxRates } from '../../schemas/types.js';

/** One day's reference rates as stored: units of each currency for one unit of `base`. */
export interface Fixing {
  /** YYYY-MM-DD */
  _id: string;
  base: string;
  rates: Record<string, number>;
}

/**
 * What one unit of each currency is worth in the base currency, from a fixing that quotes per unit of another.
 * @throws RangeError when the fixing does not quote the base currency
 */
export function worthInBase(fixing: Fixing, baseCurrency: string): Record<string, number> {
  const perBase = baseCurrency === fixing.base ? 1 : fixing.rates[baseCurrency];
  if (perBase === undefined)
    throw new RangeError(`the fixing of ${fixing._id} does not quote the base currency ${baseCurrency}`);
  const worth = Object.entries({ ...fixing.rates, [fixing.base]: 1 })
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([currency, rate]): [string, number] => [currency, perBase / rate]);
  return Object.fromEntries(worth);
}

/**
 * The rates in force at `asOf`: the newest fixing dated before its day (or of it), and the earlier ones for bookings that arrive late.
 * @param fixings in any order
 * @param options.asOf ISO time
 * @param options.trailingDays how far back the earlier fixings reach, from the newest
 * @param options.sameDay take a fixing of asOf's own day, too: it serves the bookings of the next day on. A release leaves it out, since it
 *   may not have been published when its data ended
 */
export function buildFxRates(
  fixings: readonly Fixing[],
  {
    baseCurrency,
    asOf,
    trailingDays,
    sameDay = false,
  }: { baseCurrency: string; asOf: string; trailingDays: number; sameDay?: boolean },
): FxRates {
  const asOfDay = new Date(asOf).toISOString().slice(0, 10);
  const known = (day: string): boolean => day < asOfDay || (sameDay && day === asOfDay);
  const newestFirst = fixings.filter(({ _id }) => known(_id)).sort((a, b) => (a._id < b._id ? 1 : -1));
  const newest = newestFirst[0];
  if (newest === undefined) throw new RangeError(`no fixing is dated ${sameDay ? 'up to' : 'before'} ${asOfDay}`);
  const oldestDay = new Date(Date.parse(newest._id) - trailingDays * 86_400_000).toISOString().slice(0, 10);
  return {
    base_currency: baseCurrency,
    last_updated: new Date(asOf).toISOString(),
    fixing_date: newest._id,
    exchange_rates: worthInBase(newest, baseCurrency),
    trailing: newestFirst
      .slice(1)
      .filter(({ _id }) => _id >= oldestDay)
      .map((fixing) => ({ date: fixing._id, exchange_rates: worthInBase(fixing, baseCurrency) })),
  };
}
