/**
 * The q-quantile of sorted values with linear interpolation between the two nearest, as `numpy.quantile` computes it to the last bit
 * (Hyndman and Fan 1996, type 7).
 * @param sorted ascending, without NaN
 * @param q from 0 to 1
 * @returns NaN for an empty array
 */
export function quantileOfSorted(sorted: ArrayLike<number>, q: number): number {
  return quantile(sorted.length, (index) => sorted[index] ?? NaN, q);
}

/**
 * As `quantileOfSorted`, over values that lie sorted nowhere.
 * @param n number of values
 * @param at the value at an index of the sorted order, from 0
 */
export function quantile(n: number, at: (index: number) => number, q: number): number {
  if (n === 0) return NaN;
  const position = q * (n - 1);
  const index = Math.floor(position);
  const fraction = position - index;
  const low = at(index);
  const high = index + 1 < n ? at(index + 1) : low;
  const step = high - low;
  // numpy leans on the nearer end, which keeps the result within the two values in spite of rounding.
  return fraction >= 0.5 ? high - step * (1 - fraction) : low + step * fraction;
}
