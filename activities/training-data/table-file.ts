import { open } from 'node:fs/promises';
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';

export type ColumnType = 'STRING' | 'INT32' | 'INT64' | 'DOUBLE' | 'FLOAT';

export interface Column {
  name: string;
  type: ColumnType;
  nullable: boolean;
}

type Cell = string | number | bigint | null;
type Cells = Cell[] | Int32Array | BigInt64Array | Float32Array | Float64Array;

const ROW_GROUP_ROWS = 10_000;
const MAX_SHARED = 5_000;

/**
 * Writes a Parquet file a row group at a time: memory holds one group whatever the number of rows. The same rows give the same bytes.
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
  const file = await open(path, 'w');
  const bytes = new ByteWriter();
  const schema = schemaFromColumnData({
    columnData: columns.map(({ name, type, nullable }) => ({ name, type, nullable, data: [] })),
  });
  const parquet = new ParquetWriter({ writer: bytes, schema, codec: 'SNAPPY', createdBy: 'sluice' });
  const cells = columns.map(cellsFor);
  let row = 0;
  let written = 0;

  /** The writer counts offsets by itself, so its buffer can be emptied between groups. */
  const drain = async (): Promise<void> => {
    await file.appendFile(bytes.getBytes());
    bytes.index = 0;
  };
  const writeGroup = async (): Promise<void> => {
    const columnData = columns.map(({ name }, index) => ({ name, data: (cells[index] ?? []).slice(0, row) }));
    await parquet.write({ columnData, rowGroupSize: row });
    written += row;
    row = 0;
    await drain();
  };

  const shared = new Map<string, string>();

  return {
    set(column, value) {
      const values = cells[column];
      if (values !== undefined) (values as Cell[])[row] = typeof value === 'string' ? sharedText(shared, value) : value;
    },
    endRow() {
      row++;
      return row === ROW_GROUP_ROWS ? writeGroup() : undefined;
    },
    async finish() {
      if (row > 0) await writeGroup();
      await parquet.finish();
      await drain();
      await file.close();
      return { rows: written };
    },
    abandon: () => file.close().catch(() => undefined),
  };
}

/** The first copy of a text that comes again and again, so that the group does not keep thousands of copies alive. */
function sharedText(shared: Map<string, string>, text: string): string {
  const known = shared.get(text);
  if (known === undefined && shared.size < MAX_SHARED) shared.set(text, text);
  return known ?? text;
}

/** Numbers that cannot be null lie in typed arrays: an eighth of the memory, and nothing for the garbage collector to walk. */
function cellsFor({ type, nullable }: Column): Cells {
  if (nullable || type === 'STRING') return new Array<Cell>(ROW_GROUP_ROWS).fill(null);
  switch (type) {
    case 'INT32':
      return new Int32Array(ROW_GROUP_ROWS);
    case 'INT64':
      return new BigInt64Array(ROW_GROUP_ROWS);
    case 'FLOAT':
      return new Float32Array(ROW_GROUP_ROWS);
    case 'DOUBLE':
      return new Float64Array(ROW_GROUP_ROWS);
  }
}
