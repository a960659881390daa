import { chiSquaredTail, logGamma } from './special.js';
import type { TestResult } from './ks.js';

/** Cochran's rule: the χ² distribution is a fair one for cells that can expect as many. */
export const MIN_EXPECTED = 5;

export interface ContingencyResult extends TestResult {
  degrees: number;
}

/**
 * Pearson's χ² test that two rows of counts are of one distribution, with Yates' correction for one degree of freedom, as
 * `scipy.stats.chi2_contingency([a, b])`. Columns without a count in either row must have been left out.
 */
export function chiSquaredContingency(a: readonly number[], b: readonly number[]): ContingencyResult {
  const [sumA, sumB] = [total(a), total(b)];
  const degrees = a.length - 1;
  if (degrees < 1 || sumA === 0 || sumB === 0) return { statistic: 0, p: 1, degrees: 0 };
  let statistic = 0;
  for (let column = 0; column < a.length; column++) {
    const [inA, inB] = [a[column] ?? 0, b[column] ?? 0];
    for (const [observed, row] of [
      [inA, sumA],
      [inB, sumB],
    ] as const) {
      const expected = ((inA + inB) * row) / (sumA + sumB);
      const difference = Math.abs(observed - expected);
      const corrected = degrees === 1 ? difference - Math.min(0.5, difference) : difference;
      statistic += corrected ** 2 / expected;
    }
  }
  return { statistic, p: chiSquaredTail(statistic, degrees), degrees };
}

/** Pearson's goodness-of-fit test of counts against expected counts of the same sum, as `scipy.stats.chisquare(observed, expected)`. */
export function chiSquaredFit(observed: readonly number[], expected: readonly number[]): ContingencyResult {
  const statistic = observed.reduce(
    (sum, count, i) => sum + (count - (expected[i] ?? NaN)) ** 2 / (expected[i] ?? NaN),
    0,
  );
  const degrees = observed.length - 1;
  return { statistic, p: degrees < 1 ? 1 : chiSquaredTail(statistic, degrees), degrees };
}

/**
 * Two rows of counts with so few columns that each cell can expect MIN_EXPECTED: the columns with the smallest sums become one, until all do.
 * Empty columns are left out.
 */
export function mergeSmall(a: readonly number[], b: readonly number[]): { a: number[]; b: number[] } {
  const [sumA, sumB] = [total(a), total(b)];
  const smallerShare = Math.min(sumA, sumB) / (sumA + sumB);
  const columns = a
    .map((count, column): [number, number] => [count, b[column] ?? 0])
    .filter(([inA, inB]) => inA + inB > 0)
    .sort((x, y) => y[0] + y[1] - x[0] - x[1]);
  for (;;) {
    const smallest = columns.at(-1);
    if (smallest === undefined || columns.length < 2) break;
    if ((smallest[0] + smallest[1]) * smallerShare >= MIN_EXPECTED) break;
    columns.pop();
    const next = columns.pop() ?? [0, 0];
    const merged: [number, number] = [smallest[0] + next[0], smallest[1] + next[1]];
    const place = columns.findIndex((column) => column[0] + column[1] < merged[0] + merged[1]);
    columns.splice(place === -1 ? columns.length : place, 0, merged);
  }
  return { a: columns.map(([count]) => count), b: columns.map(([, count]) => count) };
}

/** Two shares compared: `hits` of `rows` on either side. χ² where each cell can expect MIN_EXPECTED, else Fisher's exact test. */
export function compareShares(a: { hits: number; rows: number }, b: { hits: number; rows: number }): number {
  const hits = a.hits + b.hits;
  const rows = a.rows + b.rows;
  if (hits === 0 || hits === rows || a.rows === 0 || b.rows === 0) return 1;
  if ((Math.min(hits, rows - hits) * Math.min(a.rows, b.rows)) / rows < MIN_EXPECTED)
    return fisherExact(a.hits, a.rows, b.hits, b.rows);
  return chiSquaredContingency([a.hits, a.rows - a.hits], [b.hits, b.rows - b.hits]).p;
}

/** Fisher's exact test of two shares, two-sided: the sum over all tables no likelier than this one, as `scipy.stats.fisher_exact`. */
export function fisherExact(hitsA: number, rowsA: number, hitsB: number, rowsB: number): number {
  const hits = hitsA + hitsB;
  const logChoose = (n: number, k: number): number => logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
  const logTable = (inA: number): number => logChoose(rowsA, inA) + logChoose(rowsB, hits - inA);
  const all = logChoose(rowsA + rowsB, hits);
  // As likely as this one, give or take rounding.
  const limit = logTable(hitsA) + 1e-7;
  let p = 0;
  for (let inA = Math.max(0, hits - rowsB); inA <= Math.min(hits, rowsA); inA++) {
    const log = logTable(inA);
    if (log <= limit) p += Math.exp(log - all);
  }
  return Math.min(1, p);
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
