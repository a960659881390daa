import { kolmogorovTail } from './kolmogorov.js';

/** A statistic and the probability of one at least as large when nothing differs. */
export interface TestResult {
  statistic: number;
  p: number;
}

/**
 * The two-sample Kolmogorov-Smirnov test: the largest distance of the two empirical distribution functions and its two-sided p, as
 * `scipy.stats.ks_2samp(a, b, method='asymp')`.
 * @param a ascending, without NaN, not empty; b likewise
 */
export function ksTwoSample(a: ArrayLike<number>, b: ArrayLike<number>): TestResult {
  let distance = 0;
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [x, y] = [a[i] ?? NaN, b[j] ?? NaN];
    const value = Math.min(x, y);
    while (i < a.length && a[i] === value) i++;
    while (j < b.length && b[j] === value) j++;
    distance = Math.max(distance, Math.abs(i / a.length - j / b.length));
  }
  return { statistic: distance, p: ksProbability(distance, a.length, b.length) };
}

/**
 * The p of a distance between two samples: that of one sample of n·m ÷ (n + m) draws, rounded to the nearest whole number (half to even), against
 * a known distribution. scipy's `asymp` mode; the error is of the order 1 ÷ √n.
 */
export function ksProbability(distance: number, n: number, m: number): number {
  return kolmogorovTail(Math.max(1, roundHalfEven((n * m) / (n + m))), distance);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}
