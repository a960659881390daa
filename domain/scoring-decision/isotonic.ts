import type { Isotonic } from '../../schemas/types.js';

/**
 * The calibration map: score → probability, linear between the points and flat beyond both ends, operation for operation as `numpy.interp`.
 * @throws Error named InvalidInput when x does not rise or the lengths differ
 */
export function compileIsotonic({ x, y }: Isotonic): (score: number) => number {
  const last = x.length - 1;
  if (last < 1 || x.length !== y.length || x.some((value, index) => index > 0 && !(value >= (x[index - 1] ?? value))))
    throw Object.assign(new Error('isotonic: x must rise and be as long as y'), { name: 'InvalidInput' });
  const xs = Float64Array.from(x);
  const ys = Float64Array.from(y);
  const at = (values: Float64Array, index: number): number => values[index] ?? NaN;
  return (score) => {
    if (Number.isNaN(score)) return NaN;
    if (score < at(xs, 0)) return at(ys, 0);
    if (score >= at(xs, last)) return at(ys, last);
    // The last point that is not beyond the score.
    let low = 0;
    let high = last;
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if (at(xs, middle) <= score) low = middle;
      else high = middle;
    }
    const slope = (at(ys, high) - at(ys, low)) / (at(xs, high) - at(xs, low));
    return slope * (score - at(xs, low)) + at(ys, low);
  };
}
