import type { DriftRate } from '../../schemas/types.js';
import { fixed, percent, power } from './judge.js';
import { compareShares } from './statistics/chi-squared.js';
import type { DriftPolicy } from './types.js';

type MeasuredRate = Omit<DriftRate, 'verdict' | 'why'>;

/** A share among some rows against the reference's. */
export function measureRate(hits: number, rows: number, reference: { rate: number; count: number }): MeasuredRate {
  const rate = rows === 0 ? null : hits / rows;
  return {
    n: rows,
    rate,
    reference: reference.rate,
    ratio: rate === null || reference.rate === 0 ? null : rate / reference.rate,
    p:
      rows === 0
        ? null
        : compareShares({ hits, rows }, { hits: Math.round(reference.rate * reference.count), rows: reference.count }),
    p_adjusted: null,
  };
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
  const { n, rate, reference, ratio, p_adjusted } = measured;
  if (rate === null || n < policy.min_rows)
    return { verdict: 'inconclusive', why: [`${n} rows, of ${policy.min_rows} that a verdict needs`] };
  const beyondChance = p_adjusted !== null && p_adjusted <= policy.alpha;
  const moved = ratio === null ? rate > 0 : ratio > factor || ratio < 1 / factor;
  if (!beyondChance || !moved) return { verdict: 'ok', why: [] };
  const times = ratio === null ? '' : `, ${fixed(ratio)} times as much`;
  return {
    verdict: 'drift',
    why: [`${percent(rate)}, ${percent(reference ?? 0)} before${times} (adjusted p ${power(p_adjusted)})`],
  };
}
