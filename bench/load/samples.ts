import type { Latency } from './protocol.js';

/** Numbers as they come, in a buffer that grows; what is kept costs the process that measures as little as it can. */
export class Samples {
  #values = new Float32Array(1 << 16);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = new Float32Array(this.#values.length * 2);
      larger.set(this.#values);
      this.#values = larger;
    }
    this.#values[this.#length++] = value;
  }

  clear(): void {
    this.#length = 0;
  }

  /** Sorted once for all of them; NaN where there is nothing. */
  quantiles(shares: readonly number[]): number[] {
    const sorted = this.#values.slice(0, this.#length).sort();
    return shares.map((share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN);
  }

  latency(): Latency {
    const [p50 = NaN, p90 = NaN, p99 = NaN, p999 = NaN, max = NaN] = this.quantiles([0.5, 0.9, 0.99, 0.999, 1]);
    return { p50, p90, p99, p999, max };
  }
}
