import type { TestResult } from './ks.js';
import { studentTwoSided } from './special.js';

/**
 * Spearman's rank correlation and its two-sided p by Student's t, as `scipy.stats.spearmanr(a, b)`; ties share their mean rank. Null where it is not
 * defined: fewer than three pairs, or one side without any order.
 */
export function spearman(a: readonly number[], b: readonly number[]): TestResult | null {
  if (a.length < 3) return null;
  const [ranksA, ranksB] = [ranks(a), ranks(b)];
  const mean = (a.length + 1) / 2;
  let [cross, squareA, squareB] = [0, 0, 0];
  ranksA.forEach((rank, i) => {
    const [x, y] = [rank - mean, (ranksB[i] ?? NaN) - mean];
    cross += x * y;
    squareA += x * x;
    squareB += y * y;
  });
  if (squareA === 0 || squareB === 0) return null;
  const statistic = Math.min(1, Math.max(-1, cross / Math.sqrt(squareA * squareB)));
  const degrees = a.length - 2;
  const t = statistic * Math.sqrt(degrees / ((1 + statistic) * (1 - statistic)));
  return { statistic, p: Math.abs(statistic) === 1 ? 0 : studentTwoSided(t, degrees) };
}

function ranks(values: readonly number[]): number[] {
  const order = values.map((value, at) => ({ value, at })).sort((a, b) => a.value - b.value);
  const result = values.map(() => 0);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    while (end < order.length && order[end]?.value === order[start]?.value) end++;
    for (let i = start; i < end; i++) result[order[i]?.at ?? 0] = (start + 1 + end) / 2;
    start = end;
  }
  return result;
}
