export type ColumnType = 'STRING' | 'INT32' | 'INT64' | 'DOUBLE' | 'FLOAT';

export interface Column {
  name: string;
  type: ColumnType;
  nullable: boolean;
}

/** Texts as UTF-8, one after another, by number: the one after it begins where it ends. */
export interface TextBytes {
  readonly bytes: Uint8Array;
  readonly starts: Uint32Array;
  /** how many there are */
  readonly size: number;
}

/** A column's values in one row group, in memory as Parquet's types want them. */
export type ColumnValues =
  /** of a `STRING`: by row the number of a text, negative for none */
  | { texts: TextBytes; ids: Int32Array }
  /** of an `INT32`, `FLOAT`, `INT64` (as whole doubles) or `DOUBLE`: NaN is none where the column is nullable */
  | { numbers: Int32Array | Float32Array | Float64Array };
