import { TextColumn } from '../../domain/columns/text-column.js';
import { createColumnFile } from './parquet/column-file.js';
import type { Column, ColumnValues } from './parquet/columns.js';

export type Cell = string | number | bigint | null;

const ROW_GROUP_ROWS = 20_000;

/**
 * Writes a Parquet file from single cells, a row group at a time: for tables that are not in columns already.
 * Set the cells of a row, then `await endRow()`, whose promise is there only when a group is written out; `finish()` at the end, `abandon()`
 * when it came to nothing.
 */
export interface TableFile {
  /** sets a cell of the current row */
  set(column: number, value: Cell): void;
  endRow(): Promise<void> | undefined;
  finish(): Promise<{ rows: number }>;
  abandon(): Promise<void>;
}

export async function createTableFile(path: string, columns: readonly Column[]): Promise<TableFile> {
  const file = await createColumnFile(path, columns);
  const groups = columns.map(groupFor);
  let row = 0;
  const writeGroup = async (): Promise<void> => {
    const rows = row;
    row = 0;
    await file.writeGroup(groups.map(({ take }) => take(rows)));
  };
  return {
    set(column, value) {
      groups[column]?.set(row, value);
    },
    endRow() {
      row++;
      return row === ROW_GROUP_ROWS ? writeGroup() : undefined;
    },
    async finish() {
      if (row > 0) await writeGroup();
      return file.finish();
    },
    abandon: () => file.abandon(),
  };
}

/** The cells of one column in the group at hand. */
interface Group {
  set(row: number, value: Cell): void;
  /** what was set, and room for the next group */
  take(rows: number): ColumnValues;
}

function groupFor({ type }: Column): Group {
  if (type === 'STRING') {
    let texts = new TextColumn(ROW_GROUP_ROWS);
    return {
      set(row, value) {
        const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : null;
        texts.ids[row] = bytes === null ? -1 : texts.idOf(bytes, 0, bytes.length);
      },
      take(rows) {
        const taken = { texts, ids: texts.ids.subarray(0, rows) };
        texts = new TextColumn(ROW_GROUP_ROWS);
        return taken;
      },
    };
  }
  const numbers =
    type === 'INT32'
      ? new Int32Array(ROW_GROUP_ROWS)
      : type === 'FLOAT'
        ? new Float32Array(ROW_GROUP_ROWS)
        : new Float64Array(ROW_GROUP_ROWS);
  return {
    set: (row, value) => void (numbers[row] = value === null ? NaN : Number(value)),
    take: (rows) => ({ numbers: numbers.subarray(0, rows) }),
  };
}
