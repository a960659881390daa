import type { CostModel } from './choose.js';
import type { Counts } from './cells.js';

/** What a set of thresholds is worth. A figure that nothing can be said of is null, never 0. */
export interface Figures {
  /** frauds among the alerts of known label */
  precision: number | null;
  /** alerts among the frauds */
  recall: number | null;
  f1: number | null;
  /** of all rows, labelled or not */
  alerts_per_day: number;
  /** money a day against answering nothing: what caught frauds would have cost, less the reviews */
  saved_per_day: number;
  /** money a day that goes to missed frauds */
  missed_per_day: number;
}

export const FIGURE_NAMES = [
  'precision',
  'recall',
  'f1',
  'alerts_per_day',
  'saved_per_day',
  'missed_per_day',
] as const satisfies (keyof Figures)[];

/** @param days length of the window the rows were booked in */
export function figuresOf(counts: Counts, cost: CostModel, days: number): Figures {
  const { labelledAlerts, frauds, caught } = counts;
  return {
    precision: labelledAlerts === 0 ? null : caught / labelledAlerts,
    recall: frauds === 0 ? null : caught / frauds,
    f1: frauds === 0 ? null : (2 * caught) / (labelledAlerts + frauds),
    alerts_per_day: counts.alerts / days,
    saved_per_day: (counts.caughtAmount * cost.missedShare - labelledAlerts * cost.review) / days,
    missed_per_day: ((counts.fraudAmount - counts.caughtAmount) * cost.missedShare) / days,
  };
}
