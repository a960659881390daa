const EPSILON = 1e-16;
const TINY = 1e-300;
const MAX_TERMS = 10_000;

/** Coefficients of Lanczos' approximation for g = 7 with nine terms (Lanczos 1964; Godfrey 2001): relative error below 1e-14. */
const LANCZOS_G = 7;
const LANCZOS = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
];

/** ln Γ(x) for x > 0: Stirling's series for large x, Lanczos' approximation below. */
export function logGamma(x: number): number {
  if (x >= 30) {
    const inverse = 1 / x;
    const square = inverse * inverse;
    const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))));
    return (x - 0.5) * Math.log(x) - x + 0.5 * Math.log(2 * Math.PI) + series;
  }
  const base = x + LANCZOS_G - 0.5;
  const sum = LANCZOS.reduce((total, coefficient, i) => total + (i === 0 ? coefficient : coefficient / (x - 1 + i)), 0);
  return (x - 0.5) * Math.log(base) - base + 0.5 * Math.log(2 * Math.PI) + Math.log(sum);
}

/**
 * The upper regularised incomplete gamma function Q(a, x): by its series below the mean, by Legendre's continued fraction (modified
 * Lentz) above (Abramowitz and Stegun 1964, 6.5.29 and 6.5.31).
 * @param a > 0
 * @param x ≥ 0
 */
export function upperGamma(a: number, x: number): number {
  if (x <= 0) return 1;
  const scale = Math.exp(a * Math.log(x) - x - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < MAX_TERMS && term > sum * EPSILON; n++) {
      term *= x / (a + n);
      sum += term;
    }
    return Math.max(0, 1 - scale * sum);
  }
  let b = x + 1 - a;
  let c = 1 / TINY;
  let d = 1 / b;
  let fraction = d;
  for (let n = 1; n < MAX_TERMS; n++) {
    const numerator = -n * (n - a);
    b += 2;
    d = 1 / notZero(numerator * d + b);
    c = notZero(b + numerator / c);
    const factor = d * c;
    fraction *= factor;
    if (Math.abs(factor - 1) < 1e-15) break;
  }
  return Math.min(1, scale * fraction);
}

/** The regularised incomplete beta function I_x(a, b) by its continued fraction (Abramowitz and Stegun 1964, 26.5.8). */
export function regularisedBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on the left of the mean; on the right the function's symmetry leads there.
  if (x > (a + 1) / (a + b + 2)) return 1 - regularisedBeta(1 - x, b, a);
  const scale = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  let c = 1;
  let d = 1 / notZero(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < MAX_TERMS; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / notZero(1 + even * d);
    c = notZero(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / notZero(1 + odd * d);
    c = notZero(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return scale * fraction;
}

/** P(X ≥ x) for X ~ χ² with this many degrees of freedom. */
export function chiSquaredTail(x: number, degrees: number): number {
  return upperGamma(degrees / 2, x / 2);
}

/** The x with P(X ≥ x) = probability for X ~ χ²; by bisection, to a relative 1e-12. */
export function chiSquaredQuantile(probability: number, degrees: number): number {
  let low = 0;
  let high = degrees + 10;
  while (chiSquaredTail(high, degrees) > probability) high *= 2;
  while (high - low > 1e-12 * high) {
    const middle = (low + high) / 2;
    if (chiSquaredTail(middle, degrees) > probability) low = middle;
    else high = middle;
  }
  return high;
}

/** P(|T| ≥ |t|) for Student's T. */
export function studentTwoSided(t: number, degrees: number): number {
  return regularisedBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

function notZero(value: number): number {
  return Math.abs(value) < TINY ? TINY : value;
}
