import type { ModelSpec, PerCategoryThresholds } from '../../schemas/types.js';
import { CutScan, emptyTotals, type CostModel, type GroupTotals } from './choose.js';
import { DECIDER, LABEL, type ScoredRows } from './rows.js';

/** What the spec says of the choice. */
export type CalibrationPolicy = Pick<
  ModelSpec['recalibration'],
  'min_rows' | 'min_frauds' | 'min_category_rows' | 'min_category_frauds' | 'operating'
> & { cost: CostModel; budgets: readonly number[] };

export interface Calibration {
  thresholds: PerCategoryThresholds;
  /** segment → why it has no operating threshold of its own */
  fallbacks: Record<string, string>;
}

/** 0.005 → `0.5pct`, as training names them. */
export function budgetName(share: number): string {
  return `${Number((share * 100).toPrecision(12))}pct`;
}

/**
 * Thresholds anew, overall and per category: an operating threshold that is best at what the spec asks, and for each alert budget the lowest
 * that alerts on no more than this share of all rows (labelled or not). A category with too few labelled rows or frauds keeps to the overall
 * threshold, which is chosen on all rows.
 * @param order `rankRows(rows)`
 * @param until rows booked at or after this instant (ms) are not looked at
 * @returns null with fewer labelled rows or frauds than the spec wants: no data is never a proposal
 */
export function calibrate(
  rows: ScoredRows,
  order: Uint32Array,
  policy: CalibrationPolicy,
  until = Infinity,
): Calibration | null {
  const { all, segments } = totalsOf(rows, until);
  if (all.labelled < policy.min_rows || all.frauds < policy.min_frauds) return null;
  const overall = CutScan.forAll(all, policy.operating, policy.cost, policy.budgets);
  const own = segments.map((totals) =>
    tooSmall(totals, policy) === null
      ? CutScan.forCategory(totals, policy.operating, policy.cost, policy.budgets)
      : null,
  );
  for (let k = 0; k < order.length; k++) {
    const i = order[k] as number;
    if ((rows.bookedAt[i] as number) >= until || rows.decider[i] !== DECIDER.threshold) continue;
    const probability = rows.probability[i] as number;
    const label = rows.label[i];
    const fraud = label === LABEL.fraud;
    const amount = rows.amount[i] as number;
    overall.push(probability, label !== LABEL.unknown, fraud, amount);
    own[rows.segment[i] as number]?.push(probability, label !== LABEL.unknown, fraud, amount);
  }

  const common = overall.finish();
  const results = own.map((scan) => scan?.finish() ?? null);
  const perCategory = (pick: (result: ReturnType<CutScan['finish']>) => number | null): Record<string, number> => {
    const found = rows.segments.flatMap((name, s): [string, number][] => {
      const result = results[s];
      const threshold = result === null || result === undefined ? null : pick(result);
      return threshold === null ? [] : [[name, threshold]];
    });
    return Object.fromEntries(found.sort(([a], [b]) => (a < b ? -1 : 1)));
  };
  const fallbacks = rows.segments.flatMap((name, s): [string, string][] => {
    const why = tooSmall(segments[s] as GroupTotals, policy);
    return why === null ? [] : [[name, why]];
  });
  return {
    thresholds: {
      // Above 1 nothing lies: a group without a row that a threshold decides alerts on nothing.
      operating: { threshold: common.operating ?? 1, per_category: perCategory((result) => result.operating) },
      budgets: Object.fromEntries(
        policy.budgets.map((share, b) => [
          budgetName(share),
          { threshold: common.budgets[b] ?? 1, per_category: perCategory((result) => result.budgets[b] ?? null) },
        ]),
      ),
    },
    fallbacks: Object.fromEntries(fallbacks),
  };
}

function tooSmall(totals: GroupTotals, policy: CalibrationPolicy): string | null {
  if (totals.labelled < policy.min_category_rows)
    return `${totals.labelled} labelled rows, fewer than ${policy.min_category_rows}`;
  if (totals.frauds < policy.min_category_frauds)
    return `${totals.frauds} frauds, fewer than ${policy.min_category_frauds}`;
  return null;
}

/** Row counts of everything and of each segment, up to an instant. */
export function totalsOf(rows: ScoredRows, until = Infinity): { all: GroupTotals; segments: GroupTotals[] } {
  const all = emptyTotals();
  const segments = rows.segments.map(emptyTotals);
  for (let i = 0; i < rows.count; i++) {
    if ((rows.bookedAt[i] as number) >= until) continue;
    for (const totals of [all, segments[rows.segment[i] as number]]) {
      if (totals === undefined) continue;
      const labelled = rows.label[i] !== LABEL.unknown;
      const fraud = rows.label[i] === LABEL.fraud;
      totals.rows++;
      if (labelled) totals.labelled++;
      if (fraud) totals.frauds++;
      if (rows.decider[i] !== DECIDER.ruleAlerts) continue;
      totals.ruleAlerts++;
      if (labelled) totals.labelledRuleAlerts++;
      if (fraud) totals.ruleCaught++;
    }
  }
  return { all, segments };
}
