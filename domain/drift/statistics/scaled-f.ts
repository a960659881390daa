import { regularisedBeta } from './special.js';

/**
 * A quantity that is never negative and varies like a gamma with this shape, whose mean is known only as the mean of some independent values of it.
 * A new value over that mean then is an F variable of 2·shape and 2·shape·values degrees of freedom. With few values its tail is long, as it should
 * be: who has seen three weeks does not know the fourth.
 */
export interface SeenBefore {
  mean: number;
  /** of the gamma: 1 ÷ squared coefficient of variation */
  shape: number;
  /** how many independent values the mean is of */
  values: number;
}

/** The probability of a value at least as large when nothing changed. */
export function tailBeyond(value: number, { mean, shape, values }: SeenBefore): number {
  if (value <= 0) return 1;
  if (mean <= 0 || values < 1) return mean <= 0 ? 0 : 1;
  const [d1, d2] = [2 * shape, 2 * shape * values];
  const f = value / mean;
  return regularisedBeta(d2 / (d2 + d1 * f), d2 / 2, d1 / 2);
}

/** The value that is exceeded with this probability; by bisection, to a relative 1e-6. */
export function valueBeyond(probability: number, seen: SeenBefore): number {
  if (seen.mean <= 0) return 0;
  let [low, high] = [0, seen.mean];
  while (tailBeyond(high, seen) > probability && high < seen.mean * 1e9) high *= 2;
  while (high - low > 1e-6 * high) {
    const middle = (low + high) / 2;
    if (tailBeyond(middle, seen) > probability) low = middle;
    else high = middle;
  }
  return high;
}
