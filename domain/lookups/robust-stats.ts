import type { CategoryStats, Stats } from '../../schemas/types.js';
import { NumberColumn } from './number-column.js';
import { quantileOfSorted } from './quantile.js';

const doubles = (): NumberColumn<Float64Array<ArrayBuffer>> => new NumberColumn((length) => new Float64Array(length));

/**
 * Median, interquartile range, 99.5 % quantile and count of a value, per group and over all rows. Exact: it keeps the values (8 bytes a row, twice).
 * Rows without a group count in the overall statistics only.
 */
export class RobustStatsBuilder {
  readonly #overall = doubles();
  readonly #groups = new Map<string, NumberColumn<Float64Array<ArrayBuffer>>>();

  add(group: string | null, value: number): void {
    this.#overall.push(value);
    if (group === null) return;
    let column = this.#groups.get(group);
    if (column === undefined) this.#groups.set(group, (column = doubles()));
    column.push(value);
  }

  get rows(): number {
    return this.#overall.length;
  }

  /**
   * @param options.unit of the value, for readers of the file
   * @param options.minRows a group with fewer rows gets the overall figures, with its own count
   */
  build({ unit, minRows }: { unit: string; minRows: number }): CategoryStats {
    if (this.rows === 0) throw new RangeError('statistics of no rows');
    const overall = statsOf(this.#overall.sorted());
    const categories = [...this.#groups]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([group, column]): [string, Stats] => [
        group,
        column.length < minRows ? { ...overall, count: column.length } : statsOf(column.sorted()),
      ]);
    return { unit, overall, categories: Object.fromEntries(categories) };
  }
}

function statsOf(sorted: Float64Array): Stats {
  const at = (q: number): number => quantileOfSorted(sorted, q);
  return { count: sorted.length, median: at(0.5), iqr: at(0.75) - at(0.25), p995: at(0.995) };
}
