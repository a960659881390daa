/**
 * A distribution known by its values at evenly spaced probabilities from 0 to 1. Between two of them it is taken to be even; a value that several
 * of them share is one that many rows have. So it is right to one step of the probability (0.001 for a profile of 1001), which is far below any
 * difference that is called drift.
 */
export class ReferenceDistribution {
  readonly #last: number;

  /** @param quantiles ascending, at least two */
  constructor(readonly quantiles: readonly number[]) {
    this.#last = quantiles.length - 1;
  }

  /** P(X ≤ x) */
  cdf(x: number): number {
    return this.#share(
      x,
      this.#firstWhere((quantile) => quantile > x),
    );
  }

  /** P(X < x) */
  cdfBefore(x: number): number {
    return this.#share(
      x,
      this.#firstWhere((quantile) => quantile >= x),
    );
  }

  /** The value at a probability, between two known ones on a straight line. */
  quantile(probability: number): number {
    const position = probability * this.#last;
    const index = Math.min(Math.floor(position), this.#last - 1);
    const [low, high] = [this.quantiles[index] ?? NaN, this.quantiles[index + 1] ?? NaN];
    return low + (high - low) * (position - index);
  }

  /** The largest distance of a sample's distribution function from this one, on either side of each of its values. */
  distance(sorted: ArrayLike<number>): number {
    let largest = 0;
    for (let start = 0; start < sorted.length;) {
      const value = sorted[start] ?? NaN;
      let end = start + 1;
      while (sorted[end] === value) end++;
      largest = Math.max(
        largest,
        Math.abs(this.cdfBefore(value) - start / sorted.length),
        Math.abs(this.cdf(value) - end / sorted.length),
      );
      start = end;
    }
    return largest;
  }

  /** The largest distance from another one, which lies at a value that either knows. */
  distanceTo(other: ReferenceDistribution): number {
    return [...this.quantiles, ...other.quantiles].reduce(
      (largest, value) =>
        Math.max(
          largest,
          Math.abs(this.cdf(value) - other.cdf(value)),
          Math.abs(this.cdfBefore(value) - other.cdfBefore(value)),
        ),
      0,
    );
  }

  #share(x: number, above: number): number {
    if (above === 0) return 0;
    if (above > this.#last) return 1;
    const [low, high] = [this.quantiles[above - 1] ?? NaN, this.quantiles[above] ?? NaN];
    return (above - 1 + (x - low) / (high - low)) / this.#last;
  }

  #firstWhere(isAbove: (quantile: number) => boolean): number {
    let [low, high] = [0, this.#last + 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isAbove(this.quantiles[middle] ?? NaN)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
