import type { DriftRate } from '../../schemas/types.js';
import { fixed, percent, power } from './judge.js';
import type { CountHistory, CountOfDay } from './reference/counts-history.js';
import type { DriftPolicy } from './types.js';

type MeasuredRate = Omit<DriftRate, 'verdict' | 'why'>;

/**
 * A share of rows against the reference's on the same days of the week.
 * @param overall the reference's share of all days, to be shown where its days are not known
 */
export function measureRate(days: readonly CountOfDay[], history: CountHistory | null, overall: number): MeasuredRate {
  const rows = days.reduce((sum, day) => sum + day.rows, 0);
  const hits = days.reduce((sum, day) => sum + day.hits, 0);
  const distance = history?.distance(days) ?? null;
  const reference = distance?.expected ?? overall;
  const rate = rows === 0 ? null : hits / rows;
  return {
    n: rows,
    rate,
    reference,
    ratio: rate === null || reference === 0 ? null : rate / reference,
    per_day_ratio: distance?.perDayRatio ?? null,
    p: distance?.p ?? null,
    p_adjusted: null,
  };
}

/** Whether a rate has moved by more than a factor, up or down, and its number a day has too. */
export function movedBeyond(
  { ratio, per_day_ratio: perDay = null }: Pick<DriftRate, 'ratio' | 'per_day_ratio'>,
  factor: number,
): 'up' | 'down' | null {
  if (ratio === null) return null;
  const other = perDay ?? ratio;
  if (ratio > factor && other > factor) return 'up';
  return ratio < 1 / factor && other < 1 / factor ? 'down' : null;
}

/**
 * Drift is a rate beyond chance that has moved by the given factor, up or down. Rates are small, so that their difference says little and their
 * ratio what it costs: half as many alerts again are half as many people again.
 */
export function judgeRate(
  measured: MeasuredRate,
  factor: number,
  policy: DriftPolicy,
): Pick<DriftRate, 'verdict' | 'why'> {
  const { n, rate, reference, ratio, per_day_ratio: perDay, p_adjusted } = measured;
  if (rate === null || n < policy.min_rows)
    return { verdict: 'inconclusive', why: [`${n} rows, of ${policy.min_rows} that a verdict needs`] };
  if (p_adjusted === null)
    return { verdict: 'inconclusive', why: ["the reference's days are too few to tell how much it varies"] };
  if (p_adjusted > policy.alpha || movedBeyond(measured, factor) === null) return { verdict: 'ok', why: [] };
  const times = ratio === null ? '' : `, ${fixed(ratio)} times as much, and ${fixed(perDay ?? ratio)} times a day`;
  return {
    verdict: 'drift',
    why: [`${percent(rate)}, ${percent(reference ?? 0)} before${times} (adjusted p ${power(p_adjusted)})`],
  };
}
