import type { MerchantFreqMap } from '../../schemas/types.js';

/** How often each key occurs, relative to all rows (those without a key included). */
export class FrequencyBuilder {
  readonly #counts = new Map<string, number>();
  #rows = 0;

  /** @param rows that have this key */
  add(key: string | null, rows = 1): void {
    this.#rows += rows;
    if (key !== null) this.#counts.set(key, (this.#counts.get(key) ?? 0) + rows);
  }

  get rows(): number {
    return this.#rows;
  }

  /**
   * @param options.minCount a key seen less often is left out, and reads as the floor (0) like one never seen: a handful of rows says
   *   nothing about how common a key is
   */
  build({ minCount }: { minCount: number }): MerchantFreqMap {
    if (this.#rows === 0) throw new RangeError('frequencies of no rows');
    const frequencies = [...this.#counts]
      .filter(([, count]) => count >= minCount)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, count]): [string, number] => [key, count / this.#rows]);
    return { total: this.#rows, floor: 0, frequencies: Object.fromEntries(frequencies) };
  }
}
