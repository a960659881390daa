import type { ReferenceDays, ReferenceProfile } from '../../../schemas/types.js';
import { quantileOfSorted } from '../../lookups/quantile.js';
import { DAY_MS, dayOf } from '../calendar.js';
import type { ColumnKind } from '../columns.js';
import { isPresent, missingAsSeen } from '../present.js';
import { ReferenceDistribution } from '../reference-distribution.js';
import { countByDay, type CountedColumn, type ReferenceDay } from './counted.js';
import type { ReferenceRows } from './rows.js';

/** Where the bins of a number end: fine enough that the largest distance of two distribution functions shows at one of them. */
const PROBABILITIES = Array.from({ length: 39 }, (_, i) => (i + 1) / 40);
/** A text with more values than this is a name or an id, and no category. */
const MAX_TEXTS = 32;
/** Of the scores of frauds: one that the model does not see scores among the lowest of those it was released with. */
const FRAUD_QUANTILES = [0.1, 0.25, 0.5];

type Uncounted = Omit<CountedColumn, 'counts' | 'missing'>;
type Values = ArrayLike<number> | readonly (string | null)[];

/**
 * Rows counted by day: a hundred kilobytes for a quarter of a year, however many rows there are.
 * @param profile that training made, which every bundle of a model version carries. It says where bins end, so that the days of two bundles with
 *   different lookups can be counted side by side; null: the rows say it
 */
export function daysOf(
  rows: ReferenceRows,
  columns: readonly ColumnKind[],
  profile: ReferenceProfile | null,
): Pick<ReferenceDays, 'days' | 'columns' | 'fraud_scores'> {
  const dayNumbers = Int32Array.from(rows.bookedAtMs, dayOf);
  const known = [...new Set(dayNumbers)].sort((a, b) => a - b);
  const places = new Map(known.map((day, place) => [day, place]));
  const placeOf = Int32Array.from(dayNumbers, (day) => places.get(day) ?? -1);
  const counted = (column: Uncounted, values: Values): CountedColumn => {
    const days = countByDay(column, values, known.length, (row) => placeOf[row] ?? -1);
    return { ...column, counts: days.map(({ bins }) => [...bins]), missing: days.map(({ missing }) => missing) };
  };
  const trained = new Map(profile?.features.map((column) => [column.name, column]));
  const features = columns.map((column) => {
    const values = rows.features[column.name] ?? [];
    return counted({ ...column, source: 'feature', ...binsFor(column, values, trained.get(column.name)) }, values);
  });
  const inputs = Object.entries(rows.inputs).flatMap(([name, texts]) => {
    const values = [...new Set(texts)].filter((text): text is string => text !== null).sort();
    if (values.length === 0 || values.length > MAX_TEXTS) return [];
    const about = { name, source: 'input', kind: 'categorical', missing_value: null, period_hours: null } as const;
    return [counted({ ...about, cuts: [], values }, texts)];
  });
  const scoreKind: ColumnKind = { name: 'score', kind: 'numeric', missing_value: null, period_hours: null };
  const heldOut = Float64Array.from(rows.calibrated).filter((_, row) => rows.heldOut[row] === 1);
  const scoreCuts = profile === null ? cutsOf(sorted(heldOut, null)) : cutsFrom(profile.score.quantiles);
  const score = counted({ ...scoreKind, source: 'score', cuts: scoreCuts, values: [] }, rows.calibrated);
  return {
    days: dayFacts(rows, placeOf, known),
    columns: [...features, ...inputs, score],
    fraud_scores: fraudScores(rows, placeOf, known.length),
  };
}

function binsFor(
  column: ColumnKind,
  values: ArrayLike<number>,
  trained: ReferenceProfile['features'][number] | undefined,
): Pick<CountedColumn, 'cuts' | 'values'> {
  if (column.kind === 'categorical') {
    const categories =
      trained?.kind === 'categorical'
        ? trained.categories.map(({ value }) => value)
        : sorted(values, column.missing_value);
    return { cuts: [], values: [...new Set(categories)].sort((a, b) => a - b) };
  }
  const cuts = trained?.kind === 'numeric' ? cutsFrom(trained.quantiles) : cutsOf(sorted(values, column.missing_value));
  return { cuts, values: [] };
}

function sorted(values: ArrayLike<number>, missing: number | null): Float64Array {
  const asMissing = missingAsSeen(missing);
  return Float64Array.from(values)
    .filter((value) => isPresent(value, asMissing))
    .sort();
}

/** Ends of bins that hold about as much each. */
function cutsOf(values: Float64Array): number[] {
  return values.length === 0 ? [] : distinct(PROBABILITIES.map((probability) => quantileOfSorted(values, probability)));
}

function cutsFrom(quantiles: readonly number[]): number[] {
  if (quantiles.length < 2) return [];
  const known = new ReferenceDistribution(quantiles);
  return distinct(PROBABILITIES.map((probability) => known.quantile(probability)));
}

/** A value at which several bins would end gets one of its own, so that what lies below it does not hide among it. */
function distinct(cuts: readonly number[]): number[] {
  return cuts.flatMap((cut, i) => {
    if (cut === cuts[i - 1]) return [];
    return cut === cuts[i + 1] ? [justBelow(cut), cut] : [cut];
  });
}

/** Nearer than any float32 that differs. */
function justBelow(value: number): number {
  return value - Math.max(Math.abs(value), Number.MIN_VALUE * 2 ** 52) * 2 ** -40;
}

function dayFacts(rows: ReferenceRows, placeOf: Int32Array, known: readonly number[]): ReferenceDay[] {
  const days = known.map((day): ReferenceDay => ({
    day: new Date(day * DAY_MS).toISOString().slice(0, 10),
    rows: 0,
    held_out: true,
    alerts: 0,
    frauds: 0,
    caught: 0,
  }));
  placeOf.forEach((place, row) => {
    const day = days[place];
    if (day === undefined) return;
    day.rows++;
    // A day that the split runs through belongs to what the model was fitted on.
    if (rows.heldOut[row] !== 1) day.held_out = false;
    const isAlert = rows.alerts[row] === 1;
    if (isAlert) day.alerts++;
    if (rows.labels[row] !== 1) return;
    day.frauds++;
    if (isAlert) day.caught++;
  });
  return days;
}

function fraudScores(rows: ReferenceRows, placeOf: Int32Array, days: number): ReferenceDays['fraud_scores'] {
  const frauds = Array.from(placeOf, (_, row) => row).filter((row) => rows.labels[row] === 1);
  const heldOut = Float64Array.from(
    frauds.filter((row) => rows.heldOut[row] === 1),
    (row) => rows.calibrated[row] ?? NaN,
  ).sort();
  const cuts = heldOut.length === 0 ? [] : FRAUD_QUANTILES.map((quantile) => quantileOfSorted(heldOut, quantile));
  const counts = Array.from({ length: days }, () => cuts.map(() => 0));
  for (const row of frauds) {
    const score = rows.calibrated[row] ?? NaN;
    const day = counts[placeOf[row] ?? -1];
    cuts.forEach((cut, i) => {
      if (day !== undefined && score < cut) day[i] = (day[i] ?? 0) + 1;
    });
  }
  return { cuts, counts };
}
