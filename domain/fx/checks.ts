import type { FxRates, ModelSpec } from '../../schemas/types.js';
import { changedKeys, checkDifference, factorBetween, type Difference } from '../refresh/compare.js';
import type { CheckResult } from '../release/types.js';
import { quoted } from './answer.js';
import { ageInBusinessDays } from './calendar.js';

type Rates = FxRates['exchange_rates'];

/** a message goes into workflow history; a column that holds no currencies may have any number of values */
const NAMED = 10;

/**
 * The largest move of a rate: the newest against the live ones, and day against day where one is new. What is live already was let through once
 * and is not judged again. A move is how far two rates lie apart, the same both ways: 0.1 is a tenth.
 * @param live null where nothing is live to compare with
 * @param isNew whether the store does not have the fixing of this day yet
 * @returns null where there is nothing to compare
 */
export function largestMove(rates: FxRates, live: FxRates | null, isNew: (day: string) => boolean): Difference['move'] {
  const moves: NonNullable<Difference['move']>[] = [];
  if (live !== null && live.base_currency === rates.base_currency)
    moves.push(
      ...movesOf(live.exchange_rates, rates.exchange_rates, `${live.fixing_date}, live, → ${rates.fixing_date}`),
    );
  const accepted = new Map(live === null ? [] : series(live).map(({ date, exchange_rates }) => [date, exchange_rates]));
  const days = series(rates);
  for (const [index, { date, exchange_rates }] of days.entries()) {
    const before = days[index - 1];
    if (before === undefined || !isNew(date) || same(accepted.get(date), exchange_rates)) continue;
    moves.push(...movesOf(before.exchange_rates, exchange_rates, `${before.date} → ${date}`));
  }
  const [first, ...others] = moves;
  if (first === undefined) return null;
  return others.reduce((a, b) => (b.largest > a.largest ? b : a), first);
}

/**
 * What must hold of rates before they go live: every currency that the window shows is quoted, the newest fixing is recent, and the distance from
 * the live ones is tolerated.
 * @param seen currencies of the window's rows, with the number of rows
 * @param asOfDay YYYY-MM-DD
 */
export function checkRates(
  rates: FxRates,
  live: FxRates | null,
  move: Difference['move'],
  seen: readonly { currency: string; rows: number }[],
  asOfDay: string,
  tolerance: ModelSpec['refresh']['tolerances'][string],
): CheckResult[] {
  return [
    quotedCheck(rates, seen),
    ...ageCheck(rates.fixing_date, asOfDay, tolerance.max_age_business_days),
    ...differenceChecks(rates, live, move, tolerance),
  ];
}

function quotedCheck(rates: FxRates, seen: readonly { currency: string; rows: number }[]): CheckResult {
  const missing = seen.filter(({ currency }) => !Object.hasOwn(rates.exchange_rates, currency));
  const check = { name: 'currencies_quoted', required: '0 missing' };
  if (seen.length === 0) return { ...check, passed: false, observed: null, message: 'the window shows no currency' };
  if (missing.length === 0)
    return { ...check, passed: true, observed: 0, message: `all ${seen.length} currencies of the window are quoted` };
  const list = missing
    .slice(0, NAMED)
    .map(({ currency, rows }) => `${quoted(currency)} (${rows} rows of the window)`)
    .concat(missing.length > NAMED ? [`${missing.length - NAMED} more`] : [])
    .join(', ');
  return {
    ...check,
    passed: false,
    observed: missing.length,
    message: `the fixing of ${rates.fixing_date} does not quote ${list}: their amounts could not be converted`,
  };
}

function ageCheck(newest: string, asOfDay: string, allowed: number | undefined): CheckResult[] {
  if (allowed === undefined) return [];
  const age = ageInBusinessDays(newest, asOfDay);
  return [
    {
      name: 'fixing_age',
      passed: age <= allowed,
      observed: age,
      required: `≤ ${allowed} business days`,
      message: `the newest fixing is of ${newest}, ${age} business day${age === 1 ? '' : 's'} before ${asOfDay}`,
    },
  ];
}

function differenceChecks(
  rates: FxRates,
  live: FxRates | null,
  move: Difference['move'],
  tolerance: ModelSpec['refresh']['tolerances'][string],
): CheckResult[] {
  const own = new Set(Object.keys(rates.exchange_rates));
  if (live !== null) {
    const before = new Set(Object.keys(live.exchange_rates));
    const size = { live: before.size, own: own.size };
    return checkDifference({ size, changed: changedKeys(own, before), move }, tolerance);
  }
  if (move === null || tolerance.max_move === undefined) return [];
  const nothing = { size: { live: 0, own: own.size }, changed: { keys: 0, of: 0 } };
  return checkDifference({ ...nothing, move }, { max_move: tolerance.max_move });
}

/** Newest fixing and trailing ones, oldest first. */
function series({ fixing_date, exchange_rates, trailing }: FxRates): { date: string; exchange_rates: Rates }[] {
  return [{ date: fixing_date, exchange_rates }, ...trailing].sort((a, b) => (a.date < b.date ? -1 : 1));
}

function movesOf(before: Rates, after: Rates, when: string): NonNullable<Difference['move']>[] {
  return Object.entries(after).flatMap(([currency, rate]) => {
    const old = before[currency];
    return old === undefined ? [] : [{ largest: factorBetween(rate, old), of: `${currency}, ${when}` }];
  });
}

function same(a: Rates | undefined, b: Rates): boolean {
  if (a === undefined) return false;
  const currencies = Object.keys(a);
  return currencies.length === Object.keys(b).length && currencies.every((currency) => a[currency] === b[currency]);
}
