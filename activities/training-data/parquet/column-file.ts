import { open } from 'node:fs/promises';
import type { ColumnChunk, Encoding, RowGroup } from 'hyparquet';
import { ByteWriter, schemaFromColumnData } from 'hyparquet-writer';
import { writeMetadata } from 'hyparquet-writer/src/metadata.js';
import type { Column, ColumnValues } from './columns.js';
import { deltaTexts } from './delta-texts.js';
import { numberDictionary } from './number-dictionary.js';
import { indexBytes, textBytes, writeDataPage, writeDictionaryPage, type Presence } from './pages.js';

/** `PAR1` */
const MAGIC = 0x31524150;

/** Writes a Parquet file a row group at a time. The same groups give the same bytes. */
export interface ColumnFile {
  /** @param values by column, all of the same number of rows, which is not 0 */
  writeGroup(values: readonly ColumnValues[]): Promise<void>;
  /** @returns how many rows were written */
  finish(): Promise<{ rows: number }>;
  /** when it came to nothing */
  abandon(): Promise<void>;
}

/** Begins a file that is there afterwards, whatever was there before. */
export async function createColumnFile(path: string, columns: readonly Column[]): Promise<ColumnFile> {
  const file = await open(path, 'w');
  const writer = new ByteWriter(1 << 20);
  const schema = schemaFromColumnData({
    columnData: columns.map(({ name, type, nullable }) => ({ name, type, nullable, data: [] })),
  });
  const groups: RowGroup[] = [];
  let rows = 0;
  writer.appendUint32(MAGIC);

  /** The writer counts offsets by itself, so its buffer can be emptied between groups. */
  const drain = async (): Promise<void> => {
    await file.appendFile(writer.getBytes());
    writer.index = 0;
  };
  return {
    async writeGroup(values) {
      const start = writer.offset;
      const pages: SharedPages = new Map();
      const written = columns.map((column, at) => writeColumn(writer, column, expected(values[at], column), pages));
      const count = rowsOf(values[0]);
      rows += count;
      const size = BigInt(writer.offset - start);
      groups.push({
        columns: written,
        total_byte_size: size,
        total_compressed_size: size,
        num_rows: BigInt(count),
      });
      await drain();
    },
    async finish() {
      // `metadata_length` is only what a reader says of a file.
      writeMetadata(writer, {
        version: 2,
        created_by: 'sluice',
        schema,
        num_rows: BigInt(rows),
        row_groups: groups,
        metadata_length: 0,
      });
      writer.appendUint32(MAGIC);
      await drain();
      await file.close();
      return { rows };
    },
    abandon: () => file.close().catch(() => undefined),
  };
}

/** Pages of texts that several columns of a group have: an id is both a row's name and a raw field. */
type SharedPages = Map<object, Encoded>;

interface Encoded {
  encoding: Encoding;
  /** its values' bytes and how many they are */
  dictionary: { bytes: Uint8Array; count: number } | null;
  values: Uint8Array;
}

function writeColumn(writer: ByteWriter, column: Column, values: ColumnValues, shared: SharedPages): ColumnChunk {
  const presence = presenceOf(column, values);
  const key = 'texts' in values ? values.ids : values;
  const encoded = shared.get(key) ?? encode(column, values, presence);
  shared.set(key, encoded);
  const { encoding, dictionary } = encoded;
  const start = writer.offset;
  if (dictionary !== null) writeDictionaryPage(writer, dictionary.bytes, dictionary.count);
  const dataPage = writer.offset;
  writeDataPage(writer, encoding, presence, encoded.values);
  const size = BigInt(writer.offset - start);
  return {
    file_offset: BigInt(start),
    meta_data: {
      type: column.type === 'STRING' ? 'BYTE_ARRAY' : column.type,
      encodings: dictionary === null ? [encoding] : ['PLAIN', encoding],
      path_in_schema: [column.name],
      codec: 'UNCOMPRESSED',
      num_values: BigInt(presence.rows),
      total_compressed_size: size,
      total_uncompressed_size: size,
      data_page_offset: BigInt(dataPage),
      ...(dictionary === null ? {} : { dictionary_page_offset: BigInt(start) }),
      statistics: { null_count: BigInt(presence.nulls), ...bounds(column, values) },
    },
  };
}

function encode({ type }: Column, values: ColumnValues, { nulls }: Presence): Encoded {
  if ('texts' in values) {
    const { texts } = values;
    const ids = nulls === 0 ? values.ids : values.ids.filter((id) => id >= 0);
    if (texts.size * 2 > ids.length)
      return { encoding: 'DELTA_BYTE_ARRAY', dictionary: null, values: deltaTexts(texts, ids) };
    const dictionary = { bytes: textBytes(texts), count: texts.size };
    return { encoding: 'RLE_DICTIONARY', dictionary, values: indexBytes(ids, texts.size) };
  }
  const numbers =
    nulls === 0 ? values.numbers : (values.numbers as Float64Array).filter((value) => !Number.isNaN(value));
  if (type === 'INT64') return { encoding: 'PLAIN', dictionary: null, values: longBytes(numbers) };
  if (numbers instanceof Float64Array) return { encoding: 'PLAIN', dictionary: null, values: bytesOf(numbers) };
  const few = numberDictionary(new Int32Array(numbers.buffer, numbers.byteOffset, numbers.length));
  if (few === null) return { encoding: 'PLAIN', dictionary: null, values: bytesOf(numbers) };
  const dictionary = { bytes: bytesOf(few.words), count: few.size };
  return { encoding: 'RLE_DICTIONARY', dictionary, values: indexBytes(few.ids, few.size) };
}

/** Whole numbers in 64 bits, without making a bigint of each. */
function longBytes(numbers: ArrayLike<number>): Uint8Array {
  const words = new DataView(new ArrayBuffer(numbers.length * 8));
  for (let at = 0; at < numbers.length; at++) {
    const value = numbers[at] ?? 0;
    const high = Math.floor(value / 0x1_0000_0000);
    words.setUint32(at * 8, value - high * 0x1_0000_0000, true);
    words.setInt32(at * 8 + 4, high, true);
  }
  return bytesOf(words);
}

function presenceOf({ nullable }: Column, values: ColumnValues): Presence {
  const rows = rowsOf(values);
  if (!nullable) return { rows, levels: null, nulls: 0 };
  const nulls = 'texts' in values ? countNegative(values.ids) : countNaN(values.numbers);
  const levels = new Int32Array(rows).fill(1);
  if (nulls > 0)
    for (let row = 0; row < rows; row++) {
      const isThere = 'texts' in values ? (values.ids[row] ?? -1) >= 0 : !Number.isNaN(values.numbers[row]);
      if (!isThere) levels[row] = 0;
    }
  return { rows, levels, nulls };
}

function countNegative(ids: Int32Array): number {
  let count = 0;
  for (let row = 0; row < ids.length; row++) if ((ids[row] ?? 0) < 0) count++;
  return count;
}

function countNaN(numbers: ArrayLike<number>): number {
  let count = 0;
  for (let row = 0; row < numbers.length; row++) if (Number.isNaN(numbers[row])) count++;
  return count;
}

/** The least and the greatest number, by which a reader passes over groups. */
function bounds({ type }: Column, values: ColumnValues): { min_value?: number | bigint; max_value?: number | bigint } {
  if ('texts' in values) return {};
  let [min, max] = [Infinity, -Infinity];
  for (let row = 0; row < values.numbers.length; row++) {
    const value = values.numbers[row] ?? NaN;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  if (min > max) return {};
  if (type === 'INT64') return { min_value: BigInt(min), max_value: BigInt(max) };
  // Zero has two signs, and a bound must hold for both.
  return { min_value: min === 0 ? -0 : min, max_value: max === 0 ? 0 : max };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function rowsOf(values: ColumnValues | undefined): number {
  if (values === undefined) return 0;
  return 'texts' in values ? values.ids.length : values.numbers.length;
}

function expected(values: ColumnValues | undefined, { name }: Column): ColumnValues {
  if (values === undefined) throw new RangeError(`the column ${name} has no values`);
  return values;
}
