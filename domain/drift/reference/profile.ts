import type { ReferenceProfile } from '../../../schemas/types.js';
import { quantileOfSorted } from '../../lookups/quantile.js';
import type { ColumnKind } from '../columns.js';
import { isPresent, missingAsSeen } from '../present.js';
import type { ReferenceRows } from './rows.js';

/** Steps of a tenth of a per cent: as fine as a comparison with some thousand rows can tell apart. */
const STEPS = 1000;

/**
 * What `training/sluice_trainer/profile.py` says of the training table, of these rows: features and target of all of them, scores of the held-out
 * ones, because on its own training rows a model is surer than it will ever be again.
 */
export function profileOf(rows: ReferenceRows, columns: readonly ColumnKind[], asOf: string): ReferenceProfile {
  const count = rows.bookedAtMs.length;
  const heldOut = Array.from({ length: count }, (_, row) => row).filter((row) => rows.heldOut[row] === 1);
  const scores = Float64Array.from(heldOut, (row) => rows.calibrated[row] ?? NaN);
  return {
    as_of: asOf,
    rows: count,
    features: columns.map((column) => described(column, rows.features[column.name] ?? [])),
    score: {
      count: heldOut.length,
      quantiles: quantiles(scores.slice().sort()),
      alert_rate: sumOf(heldOut.map((row) => rows.alerts[row] ?? 0)) / heldOut.length,
    },
    target: { count, rate: sumOf(rows.labels) / count },
    segments: segmentsOf(heldOut.map((row) => [rows.segments[row] ?? null, rows.calibrated[row] ?? NaN])),
  };
}

function described(column: ColumnKind, values: ArrayLike<number>): ReferenceProfile['features'][number] {
  const asMissing = missingAsSeen(column.missing_value);
  const present = Float64Array.from(values)
    .filter((value) => isPresent(value, asMissing))
    .sort();
  const facts = { count: present.length, missing_fraction: 1 - present.length / values.length };
  if (column.kind === 'categorical') {
    const counts = new Map<number, number>();
    for (const value of present) counts.set(value, (counts.get(value) ?? 0) + 1);
    const categories = [...counts].map(([value, count]) => ({ value, count }));
    return { ...column, kind: 'categorical', ...facts, categories };
  }
  const mean = sumOf(present) / present.length;
  const squares = present.map((value) => (value - mean) ** 2);
  const moments =
    present.length === 0 ? { mean: null, std: null } : { mean, std: Math.sqrt(sumOf(squares) / present.length) };
  return { ...column, kind: 'numeric', ...facts, ...moments, quantiles: quantiles(present) };
}

function quantiles(sorted: Float64Array): number[] {
  return sorted.length === 0 ? [] : Array.from({ length: STEPS + 1 }, (_, i) => quantileOfSorted(sorted, i / STEPS));
}

function segmentsOf(rows: readonly (readonly [string | null, number])[]): ReferenceProfile['segments'] {
  const sums = new Map<string, { count: number; sum: number }>();
  for (const [name, score] of rows) {
    if (name === null) continue;
    const { count, sum } = sums.get(name) ?? { count: 0, sum: 0 };
    sums.set(name, { count: count + 1, sum: sum + score });
  }
  return [...sums]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { count, sum }]) => ({ name, count, mean_score: sum / count }));
}

function sumOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum;
}
