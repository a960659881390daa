import type { DriftReport, ReferenceProfile } from '../../schemas/types.js';
import { fixed } from './judge.js';
import { spearman } from './statistics/spearman.js';
import type { DriftPolicy, DriftWindow } from './types.js';

/**
 * Whether the segments keep their order by mean score (Spearman's rank correlation). A model that has gone wrong for one kind of transaction moves
 * it up or down the order, though every distribution over all rows may still look right. A warning, no drift: with a dozen segments chance moves
 * neighbours.
 */
export function rankStability(
  segments: ReferenceProfile['segments'],
  window: DriftWindow,
  { rank_stability: { min_segment_rows, min_correlation } }: DriftPolicy,
): DriftReport['rank_stability'] {
  const sums = new Map<string, { rows: number; sum: number }>();
  for (const [row, segment] of window.segments.entries()) {
    const score = window.calibrated[row] ?? NaN;
    if (segment === null || !Number.isFinite(score)) continue;
    const entry = sums.get(segment) ?? { rows: 0, sum: 0 };
    sums.set(segment, { rows: entry.rows + 1, sum: entry.sum + score });
  }
  const pairs = segments.flatMap(({ name, mean_score }) => {
    const own = sums.get(name);
    return own === undefined || own.rows < min_segment_rows ? [] : [[mean_score, own.sum / own.rows] as const];
  });
  const result = spearman(
    pairs.map(([before]) => before),
    pairs.map(([, now]) => now),
  );
  const facts = { segments: pairs.length, spearman: result?.statistic ?? null, p: result?.p ?? null };
  if (result === null)
    return {
      verdict: 'inconclusive',
      why: [`${pairs.length} segments with ${min_segment_rows} rows in the window; an order needs three`],
      ...facts,
    };
  const stable = result.statistic >= min_correlation;
  const why = `the segments' order by mean score correlates by ${fixed(result.statistic)} with the reference's, a warning below ${min_correlation}`;
  return { verdict: stable ? 'ok' : 'warn', why: stable ? [] : [why], ...facts };
}
