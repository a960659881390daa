import type { FxRates, ModelSpec } from '../../schemas/types.js';
import type { CheckResult } from '../release/types.js';
import { ageInBusinessDays } from './calendar.js';

type Tolerance = ModelSpec['refresh']['tolerances'][string];
type Rates = FxRates['exchange_rates'];

/** One rate that moved, relative to what it was: 0.1 is ten per cent. */
interface Move {
  share: number;
  text: string;
}

const percent = (share: number): string => `${(share * 100).toPrecision(3)} %`;

/**
 * How far the rates moved: the newest against the live ones, and day by day where a day is new. What is live already was let through once
 * and is not judged again.
 * @param live null where nothing is live to compare with
 * @param isNew whether a fixing is not in the store yet
 */
export function checkMoves(
  rates: FxRates,
  live: FxRates | null,
  isNew: (date: string) => boolean,
  { max_move: maxMove }: Tolerance,
): CheckResult[] {
  if (maxMove === undefined) return [];
  const moves: Move[] = [];
  if (live !== null && live.base_currency === rates.base_currency)
    moves.push(
      ...movesOf(live.exchange_rates, rates.exchange_rates, `live, ${live.fixing_date}, → ${rates.fixing_date}`),
    );
  const accepted = new Map(live === null ? [] : series(live).map(({ date, exchange_rates }) => [date, exchange_rates]));
  const days = series(rates);
  for (const [index, { date, exchange_rates }] of days.entries()) {
    const before = days[index - 1];
    if (before === undefined || !isNew(date) || same(accepted.get(date), exchange_rates)) continue;
    moves.push(...movesOf(before.exchange_rates, exchange_rates, `${before.date} → ${date}`));
  }
  const largest = moves.reduce<Move>((a, b) => (b.share > a.share ? b : a), { share: 0, text: 'no rate moved' });
  const passed = largest.share <= maxMove;
  return [
    {
      name: 'largest move',
      passed,
      observed: largest.share,
      required: `≤ ${percent(maxMove)}`,
      message: passed
        ? largest.text
        : `${largest.text}; ${percent(maxMove)} is allowed. Compare with another source before you approve`,
    },
  ];
}

/**
 * What else must hold of rates before they go live: every currency that the window shows is quoted, not too many came or went, and the newest
 * fixing is recent.
 * @param seen currencies of the window's rows, with the number of rows
 * @param asOfDay YYYY-MM-DD
 */
export function checkRates(
  rates: FxRates,
  live: FxRates | null,
  seen: readonly { currency: string; rows: number }[],
  asOfDay: string,
  tolerance: Tolerance,
): CheckResult[] {
  const quoted = new Set(Object.keys(rates.exchange_rates));
  const missing = seen.filter(({ currency }) => !quoted.has(currency));
  const checks: CheckResult[] = [
    {
      name: 'currencies quoted',
      passed: seen.length > 0 && missing.length === 0,
      observed: seen.length === 0 ? null : missing.length,
      required: '0 missing',
      message:
        seen.length === 0
          ? 'the window shows no currency at all'
          : missing.length === 0
            ? `all ${seen.length} currencies of the window are quoted`
            : `the fixing of ${rates.fixing_date} does not quote ${missing.map(({ currency, rows }) => `${currency} (${rows} rows of the window)`).join(', ')}: their amounts could not be converted`,
    },
  ];
  const before = live === null ? null : Object.keys(live.exchange_rates);
  if (before !== null && tolerance.max_changed_keys !== undefined) {
    const known = new Set(before);
    const came = [...quoted].filter((currency) => !known.has(currency));
    const went = before.filter((currency) => !quoted.has(currency));
    const share = (came.length + went.length) / Math.max(known.size, 1);
    const parts = [`${came.length} came`, `${went.length} went${went.length === 0 ? '' : ` (${went.join(', ')})`}`];
    checks.push(bounded('changed currencies', share, tolerance.max_changed_keys, parts.join(', ')));
  }
  if (before !== null && tolerance.max_size_change !== undefined) {
    const change = Math.abs(quoted.size - before.length) / Math.max(before.length, 1);
    checks.push(bounded('size change', change, tolerance.max_size_change, `${before.length} → ${quoted.size}`));
  }
  if (tolerance.max_age_business_days !== undefined) {
    const age = ageInBusinessDays(rates.fixing_date, asOfDay);
    const allowed = tolerance.max_age_business_days;
    checks.push({
      name: 'age of the newest fixing',
      passed: age <= allowed,
      observed: age,
      required: `≤ ${allowed} business days`,
      message: `the newest fixing is of ${rates.fixing_date}, ${age} business day${age === 1 ? '' : 's'} before ${asOfDay}`,
    });
  }
  return checks;
}

function bounded(name: string, share: number, allowed: number, what: string): CheckResult {
  return {
    name,
    passed: share <= allowed,
    observed: share,
    required: `≤ ${percent(allowed)}`,
    message: `${percent(share)}: ${what}`,
  };
}

/** Newest fixing and trailing ones, oldest first. */
function series({ fixing_date, exchange_rates, trailing }: FxRates): { date: string; exchange_rates: Rates }[] {
  return [{ date: fixing_date, exchange_rates }, ...trailing].sort((a, b) => (a.date < b.date ? -1 : 1));
}

function movesOf(before: Rates, after: Rates, when: string): Move[] {
  return Object.entries(after).flatMap(([currency, rate]) => {
    const old = before[currency];
    if (old === undefined) return [];
    const share = Math.abs(rate / old - 1);
    return [{ share, text: `${currency} moved ${percent(share)} (${when})` }];
  });
}

function same(a: Rates | undefined, b: Rates): boolean {
  if (a === undefined) return false;
  const currencies = Object.keys(a);
  return currencies.length === Object.keys(b).length && currencies.every((currency) => a[currency] === b[currency]);
}
