import type { ReferenceDays } from '../../../schemas/types.js';
import { isPresent, missingAsSeen } from '../present.js';

/** A column of the reference, its rows counted by day and bin. */
export type CountedColumn = ReferenceDays['columns'][number];
export type ReferenceDay = ReferenceDays['days'][number];
/** How a column's values fall into bins. */
export type Binning = Pick<CountedColumn, 'kind' | 'missing_value' | 'cuts' | 'values'>;

/** Rows of one day: by bin, of a category last those of values that have no bin of their own; and those without a value. */
export interface DayCount {
  bins: Float64Array;
  missing: number;
}

/** How many bins a column has; of a category one more, for what has none of its own. */
function binsOf({ kind, cuts, values }: Binning): number {
  return kind === 'numeric' ? cuts.length + 1 : values.length + 1;
}

/** Counts a column's rows by day. `dayAt` gives a row's place among the days, or -1 for a row that does not count. */
export function countByDay(
  column: Binning,
  values: ArrayLike<number | string | null>,
  days: number,
  dayAt: (row: number) => number,
): DayCount[] {
  const width = binsOf(column);
  const counted = Array.from({ length: days }, (): DayCount => ({ bins: new Float64Array(width), missing: 0 }));
  const binAt = column.kind === 'numeric' ? numericBin(column) : categoryBin(column, width - 1);
  for (let row = 0; row < values.length; row++) {
    const day = counted[dayAt(row)];
    if (day === undefined) continue;
    const bin = binAt(values[row] ?? null);
    if (bin === -1) day.missing++;
    else day.bins[bin] = (day.bins[bin] ?? 0) + 1;
  }
  return counted;
}

/** -1 for a value that is not there. */
function numericBin({ cuts, missing_value }: Binning): (value: number | string | null) => number {
  const asMissing = missingAsSeen(missing_value);
  return (value) => {
    if (typeof value !== 'number' || !isPresent(value, asMissing)) return -1;
    let [low, high] = [0, cuts.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (value <= (cuts[middle] ?? NaN)) high = middle;
      else low = middle + 1;
    }
    return low;
  };
}

function categoryBin({ values, missing_value }: Binning, unseen: number): (value: number | string | null) => number {
  const asMissing = missingAsSeen(missing_value);
  const bins = new Map(values.map((value, bin) => [value, bin]));
  return (value) => {
    if (value === null || (typeof value === 'number' && !isPresent(value, asMissing))) return -1;
    return bins.get(value) ?? unseen;
  };
}
