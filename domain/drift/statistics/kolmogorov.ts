import { logGamma } from './special.js';

/*
 * The distribution of the two-sided one-sample Kolmogorov-Smirnov statistic. No one formula is both fast and exact everywhere; which is used
 * where follows Simard and L'Ecuyer, "Computing the two-sided Kolmogorov-Smirnov distribution" (Journal of Statistical Software 39/11, 2011),
 * with the same limits as scipy.stats.kstwo, so that both give the same number.
 */

/** Up to here the exact matrix formula costs little. */
const EXACT_UP_TO = 140;

/**
 * P(D ≥ d) of n draws from a continuous distribution: `scipy.stats.kstwo.sf(d, n)`.
 * @param n a whole number ≥ 1
 */
export function kolmogorovTail(n: number, d: number): number {
  if (d >= 1) return 0;
  const t = n * d;
  if (t <= 0.5) return 1;
  if (t <= 1) return 1 - Math.exp(logFactorialOverPower(n) + n * Math.log(2 * t - 1));
  if (t >= n - 1) return 2 * (1 - d) ** n;
  const square = t * d;
  if (d >= 0.5) return twiceOneSided(n, d);
  if (n <= EXACT_UP_TO) return square <= 4 ? 1 - exactCdf(n, d) : twiceOneSided(n, d);
  if (square >= 370) return 0;
  if (square >= 2.2) return twiceOneSided(n, d);
  const cdf = n <= 100_000 && n * d ** 1.5 <= 1.4 ? exactCdf(n, d) : pelzGoodCdf(n, d);
  return clip(1 - cdf);
}

/** ln(n! ÷ nⁿ) */
function logFactorialOverPower(n: number): number {
  return logGamma(n + 1) - n * Math.log(n);
}

/** Far in the tail both one-sided events hardly ever meet, so twice the one-sided probability is the two-sided one. */
function twiceOneSided(n: number, d: number): number {
  return clip(2 * oneSidedTail(n, d));
}

/** P(D⁺ ≥ d) = d Σ C(n, j) (d + j/n)^(j−1) (1 − d − j/n)^(n−j) for j ≤ n(1 − d) (Smirnov 1944; Birnbaum and Tingey 1951). */
function oneSidedTail(n: number, d: number): number {
  const logN = logGamma(n + 1);
  let sum = 0;
  for (let j = 0; j <= Math.floor(n * (1 - d)); j++) {
    const at = d + j / n;
    if (at >= 1) break;
    const logTerm = logN - logGamma(j + 1) - logGamma(n - j + 1) + (j - 1) * Math.log(at) + (n - j) * Math.log1p(-at);
    sum += Math.exp(logTerm);
  }
  return d * sum;
}

/**
 * P(D < d) as an entry of the n-th power of a matrix (Durbin 1973; Marsaglia, Tsang and Wang 2003). The power's size is kept apart as a power of
 * two, for it leaves the range of a double.
 */
function exactCdf(n: number, d: number): number {
  const k = Math.floor(n * d) + 1;
  const size = 2 * k - 1;
  const h = k - n * d;
  const start = new Float64Array(size * size);
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const steps = row - column + 1;
      if (steps < 0) continue;
      let entry = 1;
      if (column === 0) entry -= h ** (row + 1);
      if (row === size - 1) entry -= h ** (size - column);
      if (row === size - 1 && column === 0) entry = 1 - 2 * h ** size + Math.max(0, 2 * h - 1) ** size;
      start[row * size + column] = entry / Math.exp(logGamma(steps + 1));
    }
  }
  const { matrix, exponent } = power(start, size, n);
  const middle = matrix[(k - 1) * size + k - 1] ?? 0;
  return clip(Math.exp(Math.log(middle) + exponent * Math.LN2 + logFactorialOverPower(n)));
}

interface Scaled {
  matrix: Float64Array;
  /** of two */
  exponent: number;
}

function power(base: Float64Array, size: number, n: number): Scaled {
  let square: Scaled = { matrix: base, exponent: 0 };
  let result: Scaled | null = null;
  for (let rest = n; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = result === null ? square : product(result, square, size);
    if (rest > 1) square = product(square, square, size);
  }
  return result ?? square;
}

function product(a: Scaled, b: Scaled, size: number): Scaled {
  const matrix = new Float64Array(size * size);
  let largest = 0;
  for (let row = 0; row < size; row++) {
    for (let inner = 0; inner < size; inner++) {
      const factor = a.matrix[row * size + inner] ?? 0;
      if (factor === 0) continue;
      for (let column = 0; column < size; column++) {
        const at = row * size + column;
        matrix[at] = (matrix[at] ?? 0) + factor * (b.matrix[inner * size + column] ?? 0);
      }
    }
  }
  for (const entry of matrix) largest = Math.max(largest, Math.abs(entry));
  const shift = largest > 2 ** 200 ? 400 : largest < 2 ** -200 && largest > 0 ? -400 : 0;
  if (shift !== 0) for (let at = 0; at < matrix.length; at++) matrix[at] = (matrix[at] ?? 0) * 2 ** -shift;
  return { matrix, exponent: a.exponent + b.exponent + shift };
}

/**
 * P(D < d) as Kolmogorov's limit with its first three corrections, in z = d√n (Pelz and Good 1976, as Simard and L'Ecuyer give them). For the n
 * that it is used for, twenty terms are more than a double can hold.
 */
function pelzGoodCdf(n: number, d: number): number {
  const z = d * Math.sqrt(n);
  const [z2, z3, z4, z6, z7, z8, z10] = [z ** 2, z ** 3, z ** 4, z ** 6, z ** 7, z ** 8, z ** 10];
  let [k0, k1, k2, k3] = [0, 0, 0, 0];
  let [whole2, whole3] = [0, 0];
  for (let k = 0; k < 20; k++) {
    // Half-odd steps lie on both sides of zero, and so do whole ones; zero itself adds nothing to the sums over those.
    const p2 = (Math.PI * (k + 0.5)) ** 2;
    const weight = Math.exp(-p2 / (2 * z2));
    k0 += weight;
    k1 += (p2 - z2) * weight;
    k2 += (6 * z6 + 2 * z4 + (2 * z4 - 5 * z2) * p2 + (1 - 2 * z2) * p2 ** 2) * weight;
    k3 +=
      (-30 * z6 - 90 * z8 + (135 * z4 - 96 * z6) * p2 + (212 * z4 - 60 * z2) * p2 ** 2 + (5 - 30 * z2) * p2 ** 3) *
      weight;
    const q2 = (Math.PI * k) ** 2;
    const wholeWeight = Math.exp(-q2 / (2 * z2));
    whole2 += q2 * wholeWeight;
    whole3 += (3 * q2 * z2 - q2 ** 2) * wholeWeight;
  }
  const root = 2 * Math.sqrt(Math.PI / 2);
  const limit = (Math.sqrt(2 * Math.PI) / z) * k0;
  const first = (root / (6 * z4)) * k1;
  const second = (root / (72 * z7)) * k2 - (root / (36 * z3)) * whole2;
  const third = (root / (6480 * z10)) * k3 + (root / (216 * z6)) * whole3;
  return limit + first / Math.sqrt(n) + second / n + third / n ** 1.5;
}

function clip(probability: number): number {
  return Math.min(1, Math.max(0, probability));
}
