import type { CategoryStats, Stats } from '../../schemas/types.js';
import { BlockColumn } from './block-column.js';
import { quantile } from './quantile.js';
import { Selection } from './selection.js';

/**
 * Median, interquartile range, 99.5 % quantile and count of a value, per group and over all rows. Exact: it keeps every value once (8 bytes a
 * row). Rows without a group count in the overall statistics only.
 */
export class RobustStatsBuilder {
  readonly #groups = new Map<string, BlockColumn>();
  readonly #ungrouped = new BlockColumn();
  #lastGroup: string | null = null;
  #last = this.#ungrouped;
  #rows = 0;

  /** @param value not NaN */
  add(group: string | null, value: number): void {
    this.#rows++;
    if (group === null) {
      this.#ungrouped.push(value);
      return;
    }
    // Values of one group often come together.
    if (group !== this.#lastGroup) {
      this.#lastGroup = group;
      this.#last = this.#groups.get(group) ?? new BlockColumn();
      this.#groups.set(group, this.#last);
    }
    this.#last.push(value);
  }

  get rows(): number {
    return this.#rows;
  }

  /**
   * @param options.unit of the value, for readers of the file
   * @param options.minRows a group with fewer rows gets the overall figures, with its own count
   */
  build({ unit, minRows }: { unit: string; minRows: number }): CategoryStats {
    if (this.#rows === 0) throw new RangeError('statistics of no rows');
    const overall = statsOf([this.#ungrouped, ...this.#groups.values()]);
    const categories = [...this.#groups]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([group, column]): [string, Stats] => [
        group,
        column.length < minRows ? { ...overall, count: column.length } : statsOf([column]),
      ]);
    return { unit, overall, categories: Object.fromEntries(categories) };
  }
}

function statsOf(columns: readonly BlockColumn[]): Stats {
  const selection = new Selection(columns.flatMap((column) => column.blocks()));
  const at = (q: number): number => quantile(selection.length, (index) => selection.at(index), q);
  return { count: selection.length, median: at(0.5), iqr: at(0.75) - at(0.25), p995: at(0.995) };
}
