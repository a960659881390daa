import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { open, type FileHandle } from 'node:fs/promises';

export type ColumnType = 'STRING' | 'INT32' | 'INT64' | 'DOUBLE' | 'FLOAT';

export interface Column {
  name: string;
  type: ColumnType;
  nullable: boolean;
}

type Cell = string | number | bigint | null;

const ROW_GROUP_ROWS = 20_000;

/**
 * Writes a Parquet file a row group at a time: memory holds one group whatever the number of rows. The same rows give the same bytes.
 * Fill `cells` in the columns' order, then `endRow()`; `flush()` after each batch, `finish()` at the end, `abandon()` when it came to nothing.
 */
export interface TableFile {
  readonly columns: readonly Column[];
  /** sets a cell of the current row */
  set(column: number, value: Cell): void;
  endRow(): void;
  /** writes out the groups that are full */
  flush(): Promise<void>;
  finish(): Promise<{ rows: number }>;
  abandon(): Promise<void>;
}

export async function createTableFile(path: string, columns: readonly Column[]): Promise<TableFile> {
  const file: FileHandle = await open(path, 'w');
  const bytes = new ByteWriter();
  const schema = schemaFromColumnData({
    columnData: columns.map(({ name, type, nullable }) => ({ name, type, nullable, data: [] })),
  });
  const parquet = new ParquetWriter({ writer: bytes, schema, codec: 'SNAPPY', createdBy: 'sluice' });
  const cells: Cell[][] = columns.map(() => []);
  let row = 0;
  let written = 0;

  /** The writer counts offsets by itself, so its buffer can be emptied between groups. */
  const drain = async (): Promise<void> => {
    await file.appendFile(bytes.getBytes());
    bytes.index = 0;
  };
  const writeGroup = async (rows: number): Promise<void> => {
    const columnData = columns.map(({ name }, index) => ({ name, data: cells[index]?.splice(0, rows) ?? [] }));
    await parquet.write({ columnData, rowGroupSize: rows });
    written += rows;
    row -= rows;
    await drain();
  };

  return {
    columns,
    set(column, value) {
      const values = cells[column];
      if (values !== undefined) values[row] = value;
    },
    endRow() {
      row++;
    },
    async flush() {
      while (row >= ROW_GROUP_ROWS) await writeGroup(ROW_GROUP_ROWS);
    },
    async finish() {
      while (row > 0) await writeGroup(Math.min(row, ROW_GROUP_ROWS));
      await parquet.finish();
      await drain();
      await file.close();
      return { rows: written };
    },
    abandon: () => file.close().catch(() => undefined),
  };
}
