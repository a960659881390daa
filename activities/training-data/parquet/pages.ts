import type { Encoding } from 'hyparquet';
import type { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { bitsOf, packed } from './bit-packing.js';
import type { TextBytes } from './columns.js';

/** A row group's rows of one column: which of them have a value. */
export interface Presence {
  rows: number;
  /** null where the column has no levels, since all rows must have a value */
  levels: Int32Array | null;
  nulls: number;
}

/** Writes the different values of a column. */
export function writeDictionaryPage(writer: ByteWriter, values: Uint8Array, count: number): void {
  writePageHeader(writer, {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: values.length,
    compressed_page_size: values.length,
    dictionary_page_header: { num_values: count, encoding: 'PLAIN' },
  });
  writer.appendBytes(values);
}

/** Writes the values that are there, behind the levels that tell which rows these are. */
export function writeDataPage(
  writer: ByteWriter,
  encoding: Encoding,
  { rows, levels, nulls }: Presence,
  values: Uint8Array,
): void {
  const definitions = levels === null ? new Uint8Array() : packed(levels, 1);
  const size = definitions.length + values.length;
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: size,
    compressed_page_size: size,
    data_page_header_v2: {
      num_values: rows,
      num_nulls: nulls,
      num_rows: rows,
      encoding,
      definition_levels_byte_length: definitions.length,
      repetition_levels_byte_length: 0,
      is_compressed: false,
    },
  });
  writer.appendBytes(definitions);
  writer.appendBytes(values);
}

/** Numbers of dictionary entries as a page holds them. */
export function indexBytes(ids: Int32Array, size: number): Uint8Array {
  const width = bitsOf(Math.max(size - 1, 0));
  const bits = packed(ids, width);
  const bytes = new Uint8Array(bits.length + 1);
  bytes[0] = width;
  bytes.set(bits, 1);
  return bytes;
}

/** All texts as a dictionary holds them: each behind its length. */
export function textBytes({ bytes, starts, size }: TextBytes): Uint8Array {
  const page = Buffer.allocUnsafe(size * 4 + (starts[size] ?? 0));
  let to = 0;
  for (let id = 0; id < size; id++) {
    const [from, end] = [starts[id] ?? 0, starts[id + 1] ?? 0];
    to = page.writeUInt32LE(end - from, to);
    for (let at = from; at < end; at++) page[to++] = bytes[at] ?? 0;
  }
  return page;
}
