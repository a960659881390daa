import type { Encoding } from 'hyparquet';
import type { ByteWriter } from 'hyparquet-writer';
import { writePageHeader } from 'hyparquet-writer/src/datapage.js';
import { snappyCompress } from 'hyparquet-writer/src/snappy.js';
import { bitsOf, packed } from './bit-packing.js';
import type { TextBytes } from './columns.js';

export type PageCodec = 'SNAPPY' | 'UNCOMPRESSED';

/** A row group's rows of one column: which of them have a value. */
export interface Presence {
  rows: number;
  /** null where the column has no levels, since all rows must have a value */
  levels: Int32Array | null;
  nulls: number;
}

/** Writes the different values of a column. @returns length of page and header uncompressed */
export function writeDictionaryPage(writer: ByteWriter, codec: PageCodec, values: Uint8Array, count: number): number {
  const body = compressed(codec, values);
  const start = writer.offset;
  writePageHeader(writer, {
    type: 'DICTIONARY_PAGE',
    uncompressed_page_size: values.length,
    compressed_page_size: body.length,
    dictionary_page_header: { num_values: count, encoding: 'PLAIN' },
  });
  const header = writer.offset - start;
  writer.appendBytes(body);
  return header + values.length;
}

/** Writes the values that are there, behind the levels that tell which rows these are. @returns as of `writeDictionaryPage` */
export function writeDataPage(
  writer: ByteWriter,
  codec: PageCodec,
  encoding: Encoding,
  { rows, levels, nulls }: Presence,
  values: Uint8Array,
): number {
  const definitions = levels === null ? new Uint8Array() : packed(levels, 1);
  const body = compressed(codec, values);
  const start = writer.offset;
  writePageHeader(writer, {
    type: 'DATA_PAGE_V2',
    uncompressed_page_size: definitions.length + values.length,
    compressed_page_size: definitions.length + body.length,
    data_page_header_v2: {
      num_values: rows,
      num_nulls: nulls,
      num_rows: rows,
      encoding,
      definition_levels_byte_length: definitions.length,
      repetition_levels_byte_length: 0,
      is_compressed: codec !== 'UNCOMPRESSED',
    },
  });
  const header = writer.offset - start;
  writer.appendBytes(definitions);
  writer.appendBytes(body);
  return header + definitions.length + values.length;
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

function compressed(codec: PageCodec, bytes: Uint8Array): Uint8Array {
  return codec === 'SNAPPY' ? snappyCompress(bytes) : bytes;
}
