import { alertsOf, type ThresholdSet } from './alerts.js';
import { calibrate, type CalibrationPolicy } from './calibrate.js';
import { cellsOf, countCells, countsOf } from './cells.js';
import { figuresOf, type Figures } from './figures.js';
import type { ScoredRows } from './rows.js';

const DAY_MS = 86_400_000;
const WEEK_MS = 7 * DAY_MS;

export interface BacktestWeek {
  /** ISO; booked in [from, to) */
  from: string;
  to: string;
  rows: number;
  frauds: number;
  old: Figures;
  /** the proposed thresholds: this week was among the rows they were chosen on */
  new: Figures;
  /** thresholds chosen the same way on the window's earlier rows only; null where those are too few */
  walk_forward: Figures | null;
}

export const BACKTEST_METHOD =
  'whole weeks at the end of the window. "new": the proposed thresholds, which were chosen on these very weeks, among others. "walk forward": for each week, thresholds chosen in the same way on the rows of the window booked before that week, with the labels as they are known today; this is what recalibrating brings on rows it has not seen';

/**
 * Old against new thresholds, week by week.
 * @param from start of the window, and `to` its end, in ms
 * @returns oldest first; fewer than asked for where the window is shorter
 */
export function backtest(
  rows: ScoredRows,
  order: Uint32Array,
  { old, proposed }: { old: ThresholdSet; proposed: ThresholdSet },
  policy: CalibrationPolicy,
  { from, to, weeks }: { from: number; to: number; weeks: number },
): BacktestWeek[] {
  const whole = Math.min(weeks, Math.floor((to - from) / WEEK_MS));
  const oldAlerts = alertsOf(rows, old);
  const proposedCells = cellsOf(rows, oldAlerts, alertsOf(rows, proposed));
  return Array.from({ length: whole }, (_, w) => {
    const start = to - (whole - w) * WEEK_MS;
    const end = start + WEEK_MS;
    const within = (bookedAt: number): boolean => bookedAt >= start && bookedAt < end;
    const cells = countCells(rows, proposedCells, within);
    const earlier = calibrate(rows, order, policy, start);
    const walked =
      earlier === null
        ? null
        : countCells(rows, cellsOf(rows, oldAlerts, alertsOf(rows, earlier.thresholds.operating)), within);
    const seen = countsOf(cells, 'old', null);
    return {
      from: new Date(start).toISOString(),
      to: new Date(end).toISOString(),
      rows: seen.rows,
      frauds: seen.frauds,
      old: figuresOf(seen, policy.cost, 7),
      new: figuresOf(countsOf(cells, 'new', null), policy.cost, 7),
      walk_forward: walked === null ? null : figuresOf(countsOf(walked, 'new', null), policy.cost, 7),
    };
  });
}
