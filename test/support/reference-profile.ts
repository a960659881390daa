import type { ColumnKind } from '../../domain/drift/columns.js';
import { quantileOfSorted } from '../../domain/lookups/quantile.js';
import type { ReferenceProfile } from '../../schemas/types.js';

export interface ProfileInput {
  columns: readonly ColumnKind[];
  features: Readonly<Record<string, ArrayLike<number>>>;
  calibrated: ArrayLike<number>;
  alerts: ArrayLike<number>;
  labels: ArrayLike<number>;
  segments: readonly (string | null)[];
}

/** What `training/sluice_trainer/profile.py` makes, from columns; the trainer's test compares that with the rows themselves. */
export function referenceProfile(input: ProfileInput, asOf = '2025-06-30T00:00:00.000Z'): ReferenceProfile {
  const rows = input.calibrated.length;
  const bySegment = new Map<string, number[]>();
  input.segments.forEach((segment, row) => {
    if (segment === null) return;
    const scores = bySegment.get(segment) ?? [];
    bySegment.set(segment, scores);
    scores.push(input.calibrated[row]!);
  });
  return {
    as_of: asOf,
    rows,
    features: input.columns.map((column) => described(column, input.features[column.name]!)),
    score: {
      count: rows,
      quantiles: quantiles(Float64Array.from(input.calibrated).sort()),
      alert_rate: mean(input.alerts),
    },
    target: { count: input.labels.length, rate: mean(input.labels) },
    segments: [...bySegment]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, scores]) => ({ name, count: scores.length, mean_score: mean(scores) })),
  };
}

function described(column: ColumnKind, values: ArrayLike<number>): ReferenceProfile['features'][number] {
  const present = Float64Array.from(values)
    .filter((value) => Number.isFinite(value) && value !== column.missing_value)
    .sort();
  const facts = { count: present.length, missing_fraction: 1 - present.length / values.length };
  if (column.kind === 'categorical') {
    const counts = new Map<number, number>();
    for (const value of present) counts.set(value, (counts.get(value) ?? 0) + 1);
    return {
      ...column,
      kind: 'categorical',
      ...facts,
      categories: [...counts].map(([value, count]) => ({ value, count })),
    };
  }
  const middle = mean(present);
  const squares = present.map((value) => (value - middle) ** 2);
  return {
    ...column,
    kind: 'numeric',
    ...facts,
    mean: middle,
    std: Math.sqrt(mean(squares)),
    quantiles: quantiles(present),
  };
}

function quantiles(sorted: Float64Array): number[] {
  return sorted.length === 0 ? [] : Array.from({ length: 1001 }, (_, i) => quantileOfSorted(sorted, i / 1000));
}

function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}
