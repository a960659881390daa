import type {
  PerCategoryThresholds,
  ThresholdBudget,
  ThresholdFigures,
  ThresholdGroup,
  ThresholdProposal,
} from '../../schemas/types.js';
import { alertsOf, type ThresholdSet } from './alerts.js';
import { backtest, BACKTEST_METHOD } from './backtest.js';
import { compareWithIntervals, describeMethod, type BootstrapPolicy } from './bootstrap.js';
import { budgetName, totalsOf, type CalibrationPolicy } from './calibrate.js';
import { cellsOf, countCells, countsOf } from './cells.js';
import { figuresOf } from './figures.js';
import { precisionAt } from './precision-at.js';
import { DECIDER, type ScoredRows } from './rows.js';

const DAY_MS = 86_400_000;

/** What a proposal says besides its figures. */
export type ProposalHead = Pick<
  ThresholdProposal,
  'model' | 'key' | 'as_of' | 'environment' | 'model_version' | 'base' | 'costs' | 'edited'
> & { window: { from: string; to: string }; refused: number };

/**
 * New thresholds next to the live ones, with every figure an approver needs: overall, per category and per alert budget, with intervals,
 * and week by week.
 * @param fallbacks category → why it has no operating threshold of its own
 * @param yieldToEventLoop is awaited now and then, so that a long computation does not hold up its process
 */
export async function propose(
  rows: ScoredRows,
  order: Uint32Array,
  head: ProposalHead,
  {
    old,
    proposed,
    fallbacks,
  }: { old: PerCategoryThresholds; proposed: PerCategoryThresholds; fallbacks: Record<string, string> },
  policy: CalibrationPolicy & { bootstrap: BootstrapPolicy; backtestWeeks: number },
  yieldToEventLoop: () => Promise<void>,
): Promise<ThresholdProposal> {
  const { refused, ...rest } = head;
  const from = Date.parse(head.window.from);
  const to = Date.parse(head.window.to);
  const days = (to - from) / DAY_MS;
  const cellOf = cellsOf(rows, alertsOf(rows, old.operating), alertsOf(rows, proposed.operating));
  const compared = await compareWithIntervals(
    rows,
    cellOf,
    countCells(rows, cellOf),
    policy.cost,
    days,
    policy.bootstrap,
    yieldToEventLoop,
  );
  const { all, segments } = totalsOf(rows);
  const top = precisionAt(rows, order, policy.budgets);
  const groups = [null, ...rows.segments].map((category, g): ThresholdGroup => {
    const { rows: count, labelled, frauds } = category === null ? all : (segments[g - 1] as typeof all);
    return {
      category,
      rows: count,
      labelled,
      frauds,
      threshold: { old: thresholdOf(old.operating, category), new: thresholdOf(proposed.operating, category) },
      own: { old: hasOwn(old.operating, category), new: hasOwn(proposed.operating, category) },
      fallback: category === null ? null : (fallbacks[category] ?? null),
      precision_at: Object.fromEntries(policy.budgets.map((share, b) => [budgetName(share), top[g]?.[b] ?? null])),
      ...(compared[g] as (typeof compared)[number]),
    };
  });
  const [overall, ...categories] = groups as [ThresholdGroup, ...ThresholdGroup[]];
  const size = ({ gain_per_day, category }: ThresholdGroup): [number, string] => [
    -Math.abs(gain_per_day.value ?? 0),
    category ?? '',
  ];
  const counts = {
    rows: all.rows,
    labelled: all.labelled,
    unlabelled: all.rows - all.labelled,
    refused,
    decided_by_rule: rows.decider.reduce((sum, decider) => sum + (decider === DECIDER.threshold ? 0 : 1), 0),
    frauds: all.frauds,
  };
  const weeks = backtest(rows, order, { old: old.operating, proposed: proposed.operating }, policy, {
    from,
    to,
    weeks: policy.backtestWeeks,
  });
  return {
    ...rest,
    window: { ...head.window, days },
    counts,
    operating: policy.operating,
    intervals: { method: describeMethod(policy.bootstrap), ...policy.bootstrap },
    old,
    new: proposed,
    overall,
    categories: categories.sort((a, b) => compare(size(a), size(b))),
    budgets: policy.budgets.map((share) => {
      const name = budgetName(share);
      const figures = (set: ThresholdSet | undefined): ThresholdBudget =>
        set === undefined ? null : { threshold: set.threshold, figures: figuresAt(rows, set, policy, days) };
      return { name, share, old: figures(old.budgets[name]), new: figures(proposed.budgets[name]) };
    }),
    backtest: { method: BACKTEST_METHOD, weeks },
    notes: notesOf(counts, overall, categories, policy),
  };
}

function thresholdOf(set: ThresholdSet, category: string | null): number {
  return category !== null && hasOwn(set, category) ? (set.per_category[category] as number) : set.threshold;
}

function hasOwn(set: ThresholdSet, category: string | null): boolean {
  return category !== null && Object.hasOwn(set.per_category, category);
}

function figuresAt(rows: ScoredRows, set: ThresholdSet, policy: CalibrationPolicy, days: number): ThresholdFigures {
  const alerts = alertsOf(rows, set);
  return figuresOf(countsOf(countCells(rows, cellsOf(rows, alerts, alerts)), 'new', null), policy.cost, days);
}

function compare([a, x]: [number, string], [b, y]: [number, string]): number {
  return a - b || (x < y ? -1 : 1);
}

/** What a careful approver would ask about. */
function notesOf(
  counts: ThresholdProposal['counts'],
  overall: ThresholdGroup,
  categories: readonly ThresholdGroup[],
  policy: CalibrationPolicy,
): string[] {
  const notes: string[] = [];
  if (counts.unlabelled > 0)
    notes.push(
      `${counts.unlabelled} of ${counts.rows} rows have no label: they count towards budgets and alerts a day, not towards precision, recall and money`,
    );
  if (counts.refused > 0)
    notes.push(`${counts.refused} predictions were left out: no usable probability or amount in the log`);
  if (counts.decided_by_rule > 0)
    notes.push(`${counts.decided_by_rule} rows are decided by a rule of the bundle, which no threshold moves`);
  const small = categories.filter(({ fallback }) => fallback !== null);
  if (small.length > 0)
    notes.push(
      `${small.length} of ${categories.length} categories keep to the overall threshold (fewer than ${policy.min_category_rows} labelled rows or ${policy.min_category_frauds} frauds)`,
    );
  const { low, high } = overall.gain_per_day;
  if (low !== null && high !== null && low <= 0 && high >= 0)
    notes.push('the interval of the gain includes 0: the change may be worth nothing');
  return notes;
}
