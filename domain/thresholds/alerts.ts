import type { PerCategoryThresholds } from '../../schemas/types.js';
import { DECIDER, type ScoredRows } from './rows.js';

/** One set of thresholds: for everything, and for the segments that have their own. */
export type ThresholdSet = PerCategoryThresholds['operating'];

/**
 * Which rows a set of thresholds alerts on (1) and which pass (0): the rule of `domain/scoring-decision`, over columns. A rule of the
 * bundle goes first; otherwise at or above the segment's threshold is an alert, else at or above the common one.
 */
export function alertsOf(rows: ScoredRows, set: ThresholdSet): Uint8Array {
  const own = rows.segments.map((name) =>
    Object.hasOwn(set.per_category, name) ? (set.per_category[name] as number) : set.threshold,
  );
  const alerts = new Uint8Array(rows.count);
  for (let i = 0; i < rows.count; i++) {
    const decider = rows.decider[i];
    const threshold = own[rows.segment[i] as number] ?? set.threshold;
    const alerted =
      decider === DECIDER.threshold ? (rows.probability[i] as number) >= threshold : decider === DECIDER.ruleAlerts;
    alerts[i] = alerted ? 1 : 0;
  }
  return alerts;
}
