import type { DriftSnapshot } from '../../schemas/types.js';
import { quantileOfSorted } from '../lookups/quantile.js';
import { isPresent, missingAsSeen } from './present.js';
import { ReferenceDistribution } from './reference-distribution.js';
import { jensenShannonDistance, totalVariation, wassersteinDistance } from './statistics/distances.js';
import { populationStability } from './statistics/psi.js';
import { numericBins } from './bins.js';
import type { DriftPolicy, DriftReference, DriftWindow } from './types.js';

type Column = DriftSnapshot['columns'][number];

/** In hundredths: a week's tails are no better known. */
const PROBABILITIES = Array.from({ length: 101 }, (_, i) => i / 100);

/**
 * A window in figures, to be kept and compared with another week's later: quantiles or counts of each feature and of the score, and what was
 * missing. Features that the reference does not have are described as numbers.
 */
export function snapshotOf(
  reference: Pick<DriftReference, 'model' | 'bundleVersion' | 'profile'>,
  window: DriftWindow,
): DriftSnapshot {
  const kinds = new Map(reference.profile.features.map((column) => [column.name, column]));
  const rows = window.bookedAtMs.length;
  const describe = (name: string, values: ArrayLike<number>): Column => {
    const { kind = 'numeric', missing_value = null } = kinds.get(name) ?? {};
    const asMissing = missingAsSeen(missing_value);
    const present = Float64Array.from(values)
      .filter((value) => isPresent(value, asMissing))
      .sort();
    const facts = { name, kind, n: present.length, missing_fraction: rows === 0 ? null : 1 - present.length / rows };
    if (kind === 'categorical') return { ...facts, quantiles: null, categories: countsOf(present) };
    const quantiles = PROBABILITIES.map((probability) => quantileOfSorted(present, probability));
    return { ...facts, quantiles: present.length === 0 ? null : quantiles, categories: null };
  };
  return {
    model: reference.model,
    bundle_version: reference.bundleVersion,
    from: window.from,
    to: window.to,
    rows,
    probabilities: PROBABILITIES,
    columns: [
      ...Object.entries(window.features).map(([name, values]) => describe(name, values)),
      describe('score', window.calibrated),
    ],
  };
}

/** How one column differs between two weeks; null where a week has no value of it. */
export interface SnapshotDifference {
  name: string;
  kind: Column['kind'];
  missingBefore: number | null;
  missingAfter: number | null;
  /** population stability index, bins from the earlier week */
  psi: number | null;
  /** Jensen-Shannon distance over the same bins */
  js: number | null;
  /** largest distance of the distribution functions at the quantiles, or total variation of the categories */
  effect: number | null;
  /** in the column's unit; null for categories */
  wasserstein: number | null;
  /** [earlier, later]; null for categories */
  median: [number, number] | null;
  /** categories that only the later week has, and those that only the earlier one has */
  came: number[];
  went: number[];
}

export interface SnapshotComparison {
  differences: SnapshotDifference[];
  /** columns that only the earlier week has, and those that only the later one has */
  gone: string[];
  added: string[];
}

/** Compares two weeks' snapshots, the earlier one as the reference. The largest PSI comes first. */
export function compareSnapshots(
  before: DriftSnapshot,
  after: DriftSnapshot,
  { psi: { bins, epsilon } }: Pick<DriftPolicy, 'psi'>,
): SnapshotComparison {
  const later = new Map(after.columns.map((column) => [column.name, column]));
  const earlier = new Set(before.columns.map(({ name }) => name));
  const differences = before.columns.flatMap((column) => {
    const other = later.get(column.name);
    return other === undefined ? [] : [difference(column, other, bins, epsilon)];
  });
  return {
    differences: differences.sort((a, b) => (b.psi ?? -1) - (a.psi ?? -1)),
    gone: [...earlier].filter((name) => !later.has(name)),
    added: [...later.keys()].filter((name) => !earlier.has(name)),
  };
}

function difference(a: Column, b: Column, bins: number, epsilon: number): SnapshotDifference {
  const facts = { name: a.name, kind: a.kind, missingBefore: a.missing_fraction, missingAfter: b.missing_fraction };
  const none = { psi: null, js: null, effect: null, wasserstein: null, median: null, came: [], went: [] };
  if (a.quantiles !== null && b.quantiles !== null) {
    const [earlier, later] = [new ReferenceDistribution(a.quantiles), new ReferenceDistribution(b.quantiles)];
    const cut = numericBins(earlier, bins);
    const upTo = [...cut.cuts.map((value) => later.cdf(value)), 1];
    const current = upTo.map((share, i) => share - (upTo[i - 1] ?? 0));
    return {
      ...facts,
      ...none,
      psi: populationStability(cut.reference, current, epsilon),
      js: jensenShannonDistance(cut.reference, current),
      effect: earlier.distanceTo(later),
      wasserstein: wassersteinDistance({ values: a.quantiles }, { values: b.quantiles }),
      median: [earlier.quantile(0.5), later.quantile(0.5)],
    };
  }
  if (a.categories === null || b.categories === null || a.n === 0 || b.n === 0) return { ...facts, ...none };
  const [countsA, countsB] = [byValue(a.categories), byValue(b.categories)];
  const values = [...new Set([...countsA.keys(), ...countsB.keys()])].sort((x, y) => x - y);
  const [p, q] = [
    values.map((value) => (countsA.get(value) ?? 0) / a.n),
    values.map((value) => (countsB.get(value) ?? 0) / b.n),
  ];
  return {
    ...facts,
    ...none,
    psi: populationStability(p, q, epsilon),
    js: jensenShannonDistance(p, q),
    effect: totalVariation(p, q),
    came: values.filter((value) => !countsA.has(value)),
    went: values.filter((value) => !countsB.has(value)),
  };
}

function countsOf(sorted: Float64Array): { value: number; count: number }[] {
  const counts = new Map<number, number>();
  for (const value of sorted) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => ({ value, count }));
}

function byValue(categories: readonly { value: number; count: number }[]): Map<number, number> {
  return new Map(categories.map(({ value, count }) => [value, count]));
}
