import type { DriftColumn, DriftScope, ReferenceProfile } from '../../schemas/types.js';
import { quantileOfSorted } from '../lookups/quantile.js';
import { categoryBins, numericBins, type Bins } from './bins.js';
import { isPresent, missingAsSeen } from './present.js';
import type { ColumnHistory, CountedDay, UnseenValues } from './reference/history.js';
import { ReferenceDistribution } from './reference-distribution.js';
import { jensenShannonDistance, klDivergence, wassersteinDistance } from './statistics/distances.js';
import { populationStability } from './statistics/psi.js';
import type { DriftPolicy } from './types.js';

export const QUANTILE_PROBABILITIES = [0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1];

/** The bin of rows without a value. */
export const MISSING = 'missing';

export type ReferenceColumn = ReferenceProfile['features'][number];
export type NumericReference = Extract<ReferenceColumn, { kind: 'numeric' }>;

/** The rows of a scope: the whole window, or its last day. */
export interface ScopeRows {
  scope: DriftScope['scope'];
  /** that it has rows of, since 1970 */
  days: readonly number[];
  /** positions; null for every row */
  rows: readonly number[] | null;
  /** how many */
  count: number;
}

/** A column of the window and what it is compared with. */
export interface ComparedColumn {
  reference: ReferenceColumn;
  values: ArrayLike<number>;
  /** the reference's days; null where it has none, so that nothing can be judged */
  history: ColumnHistory | null;
  /** the window's days, counted as the reference's are */
  days: readonly CountedDay[];
  /** what a category's number stands for, where that is a text */
  nameOf?: (value: number) => string;
}

/** A calendar value with a longer period than this is one observation a day, whatever the number of rows: no test of rows applies to it. */
const TESTABLE_PERIOD_HOURS = 24;

/** A column's values that are there, in a scope. */
interface Present {
  sorted: Float64Array;
  rows: number;
}

/**
 * Measures one column against the reference, scope by scope; nothing is judged here. A scope with fewer rows than the policy asks for is measured in
 * rows only, and where the reference has no days there is nothing to say about chance.
 * @param chance probability with which an index may exceed its limit although nothing changed
 */
export function measureColumn(
  column: ComparedColumn,
  scopes: readonly ScopeRows[],
  policy: DriftPolicy,
  chance: number,
): Omit<DriftColumn, 'verdict' | 'why'> {
  const { reference, values } = column;
  const presents = scopes.map((scope) => present(values, scope, reference.missing_value));
  const whole = presents[0] ?? { sorted: new Float64Array(0), rows: 0 };
  const bins = binsOf(column, whole.sorted, policy);
  const missing = whole.rows - whole.sorted.length;
  return {
    name: reference.name,
    kind: reference.kind,
    n: whole.sorted.length,
    missing,
    missing_fraction: share(missing, whole.rows),
    reference_missing_fraction: reference.missing_fraction,
    quantiles: reference.kind === 'numeric' && whole.sorted.length > 0 ? quantilesOf(whole.sorted) : null,
    reference_quantiles: referenceQuantiles(reference),
    bins: withLastDay(
      withMissing(bins, bins.count(whole.sorted), missing, reference.missing_fraction),
      bins,
      presents[1],
    ),
    scopes: scopes.map((scope, i) => {
      const at = presents[i] ?? whole;
      return scope.count < policy.min_rows
        ? unmeasured(scope, at)
        : measureScope(column, at, scope, bins, policy, chance);
    }),
  };
}

function measureScope(
  { reference, history, days }: ComparedColumn,
  { sorted, rows }: Present,
  scope: ScopeRows,
  bins: Bins,
  policy: DriftPolicy,
  chance: number,
): DriftScope {
  if (rows === 0) return unmeasured(scope, { sorted, rows });
  const distance =
    history?.distance(
      days.filter(({ day }) => scope.days.includes(day)),
      chance,
    ) ?? null;
  const result = {
    ...unmeasured(scope, { sorted, rows }),
    missing_p: distance?.missingP ?? null,
    ...unseenOf(distance?.unseen ?? null, policy),
  };
  if (sorted.length === 0 || reference.count === 0) return result;
  const period = reference.period_hours;
  const counts = bins.count(sorted);
  const shares = withMissing(bins, counts, rows - sorted.length, reference.missing_fraction);
  const [expected, actual] = [shares.map((bin) => bin.reference), shares.map((bin) => bin.current)];
  const testable = period === null || period <= TESTABLE_PERIOD_HOURS;
  return {
    ...result,
    ...(distance === null || distance.effect === null || !testable
      ? {}
      : {
          test: reference.kind === 'numeric' ? ('ks' as const) : ('tv' as const),
          statistic: distance.effect,
          effect: distance.effect,
          p: distance.p,
        }),
    psi: distance?.psi ?? populationStability(expected, actual, policy.psi.epsilon),
    psi_warn: distance === null ? null : Math.max(policy.psi.warn, distance.psiByChance),
    psi_alert: distance === null ? null : Math.max(policy.psi.alert, distance.psiByChance),
    js: jensenShannonDistance(actual, expected),
    kl: klDivergence(
      actual,
      expected.map((value) => Math.max(value, policy.psi.epsilon)),
    ),
    wasserstein: reference.kind === 'numeric' ? distanceInUnits(reference, sorted) : null,
  };
}

/** A single customer's whim is no new world. */
const MIN_UNSEEN_ROWS = 10;
const UNSEEN_MIN_SHARE = 0.01;

/**
 * Values that the reference does not have are told from what merely varies: they need no test against it, and a smaller share matters. Where the
 * reference has rare ones of its own, the limit is twice the most that one of its days has.
 */
function unseenOf(unseen: UnseenValues | null, policy: DriftPolicy): Pick<DriftScope, 'unseen' | 'unseen_alert'> {
  if (unseen === null || unseen.rows < MIN_UNSEEN_ROWS) return { unseen: unseen?.share ?? null, unseen_alert: null };
  return {
    unseen: unseen.share,
    unseen_alert: Math.max(policy.unseen_min_share ?? UNSEEN_MIN_SHARE, 2 * unseen.usual),
  };
}

/** The same bins with the last day's shares in them; null where there is no such day. */
function withLastDay(shares: readonly Share[], bins: Bins, day: Present | undefined): DriftColumn['bins'] {
  if (day === undefined || day.rows === 0) return shares.map((bin) => ({ ...bin, last_day: null }));
  const counts = [...bins.count(day.sorted), day.rows - day.sorted.length];
  return shares.map((bin, i) => ({ ...bin, last_day: (counts[i] ?? 0) / day.rows }));
}

/** The area between the two distribution functions, the reference's by its quantiles; the outermost two stand for half as many rows. */
function distanceInUnits(reference: NumericReference, sorted: Float64Array): number {
  const last = reference.quantiles.length - 1;
  const weights = reference.quantiles.map((_, i) => (i === 0 || i === last ? 0.5 : 1));
  return wassersteinDistance({ values: sorted }, { values: reference.quantiles, weights });
}

function unmeasured({ scope, days }: ScopeRows, { sorted, rows }: Present): DriftScope {
  return {
    scope,
    days: days.length,
    n: sorted.length,
    missing_fraction: share(rows - sorted.length, rows),
    test: null,
    statistic: null,
    p: null,
    p_adjusted: null,
    missing_p: null,
    missing_p_adjusted: null,
    effect: null,
    unseen: null,
    unseen_alert: null,
    psi: null,
    psi_warn: null,
    psi_alert: null,
    js: null,
    kl: null,
    wasserstein: null,
  };
}

function present(values: ArrayLike<number>, { rows, count }: ScopeRows, missingValue: number | null): Present {
  const asMissing = missingAsSeen(missingValue);
  const sorted = new Float64Array(count);
  let n = 0;
  for (let i = 0; i < count; i++) {
    const value = values[rows === null ? i : (rows[i] ?? -1)] ?? NaN;
    if (isPresent(value, asMissing)) sorted[n++] = value;
  }
  return { sorted: sorted.subarray(0, n).sort(), rows: count };
}

function binsOf({ reference, nameOf }: ComparedColumn, window: Float64Array, policy: DriftPolicy): Bins {
  if (reference.kind === 'categorical') return categoryBins(reference.categories, window, nameOf);
  if (reference.quantiles.length < 2) return { labels: [], reference: [], count: () => [] };
  return numericBins(new ReferenceDistribution(reference.quantiles), policy.psi.bins);
}

type Share = Omit<DriftColumn['bins'][number], 'last_day'>;

/** Shares of all rows: the bins', and a last bin for missing values where either side has any. */
function withMissing(bins: Bins, counts: readonly number[], missing: number, referenceMissing: number): Share[] {
  const rows = counts.reduce((sum, count) => sum + count, missing);
  const all = bins.labels.map((label, i) => ({
    label,
    reference: (bins.reference[i] ?? 0) * (1 - referenceMissing),
    current: rows === 0 ? 0 : (counts[i] ?? 0) / rows,
  }));
  if (missing === 0 && referenceMissing === 0) return all;
  return [...all, { label: MISSING, reference: referenceMissing, current: rows === 0 ? 0 : missing / rows }];
}

function quantilesOf(sorted: Float64Array): number[] {
  return QUANTILE_PROBABILITIES.map((probability) => quantileOfSorted(sorted, probability));
}

function referenceQuantiles(reference: ReferenceColumn): number[] | null {
  if (reference.kind !== 'numeric' || reference.quantiles.length < 2) return null;
  const known = new ReferenceDistribution(reference.quantiles);
  return QUANTILE_PROBABILITIES.map((probability) => known.quantile(probability));
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
