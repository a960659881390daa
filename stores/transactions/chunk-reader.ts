import type { ChunkField, RowChunk } from '../../domain/columns/row-chunk.js';
import { NO_TEXT } from '../../domain/columns/text-column.js';
import type { ValueType } from '../../domain/features/op-inputs.js';
import { afterName } from './after-name.js';
import { decodeRow } from './decode-row.js';
import { FieldNames } from './field-names.js';

const TYPE = {
  end: 0,
  double: 1,
  string: 2,
  document: 3,
  array: 4,
  objectId: 7,
  boolean: 8,
  date: 9,
  null: 10,
  int32: 16,
  timestamp: 17,
  int64: 18,
  decimal: 19,
} as const;

/** Puts rows into the columns of a chunk as they lie in BSON: no object is made of any but odd ones. */
export class ChunkReader {
  readonly #names: FieldNames;
  readonly #types: readonly ValueType[];

  constructor(private readonly fields: readonly ChunkField[]) {
    this.#names = new FieldNames(fields.map(({ name }) => name));
    this.#types = fields.map(({ type }) => type);
  }

  /**
   * @param batch a BSON array of documents; what they hold besides the fields is passed over
   * @param chunk rows are added to it
   * @param full called whenever the chunk has no room for another row; it must empty it, at once or before its promise is over
   */
  async read(batch: Buffer, chunk: RowChunk, full: () => Promise<void>): Promise<void> {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
    for (let at = 4; batch[at] !== TYPE.end;) {
      // An element is its type, its position as text, a zero, and the document.
      at = afterName(batch, at);
      const end = at + view.getInt32(at, true);
      if (!this.#readUsual(batch, view, at + 4, chunk)) this.#readOdd(batch.subarray(at, end), chunk);
      chunk.rows++;
      if (chunk.rows === chunk.capacity) await full();
      at = end;
    }
  }

  #readUsual(batch: Buffer, view: DataView, start: number, chunk: RowChunk): boolean {
    this.#names.beginRow();
    const index = chunk.rows;
    let [found, position] = [0, 0];
    for (let at = start; batch[at] !== TYPE.end; position++) {
      const type = batch[at++] ?? TYPE.end;
      const field = this.#names.at(batch, at, position);
      if (field < 0) {
        at = afterName(batch, at - 1);
        const length = lengthOf(type, view, at);
        if (length < 0) return false;
        at += length;
        continue;
      }
      if (this.#names.isRepeated(field)) return false;
      found++;
      at += this.#names.bytesOf(field);
      const wanted = this.#types[field];
      if (wanted === 'string') {
        const column = chunk.texts[field] ?? null;
        if (type !== TYPE.string || column === null) return false;
        const length = view.getInt32(at, true);
        column.ids[index] = column.idOf(batch, at + 4, length - 1);
        at += 4 + length;
        continue;
      }
      const column = chunk.numbers[field] ?? null;
      if (column === null) return false;
      let value: number;
      if (wanted === 'time') {
        if (type !== TYPE.date) return false;
        value = int64(view, at);
        at += 8;
      } else if (type === TYPE.double) {
        value = view.getFloat64(at, true);
        if (!Number.isFinite(value)) return false;
        at += 8;
      } else if (type === TYPE.int32) {
        value = view.getInt32(at, true);
        at += 4;
      } else if (type === TYPE.int64) {
        value = int64(view, at);
        if (!Number.isSafeInteger(value)) return false;
        at += 8;
      } else return false;
      column[index] = value;
    }
    return found === this.#types.length;
  }

  #readOdd(bytes: Buffer, chunk: RowChunk): void {
    const kept = Buffer.from(bytes);
    const document = decodeRow(kept);
    const index = chunk.rows;
    chunk.odd.set(index, { bytes: kept, document });
    this.fields.forEach(({ name, type }, slot) => {
      const value = document[name];
      const texts = chunk.texts[slot] ?? null;
      if (texts !== null) {
        const text = typeof value === 'string' ? Buffer.from(value, 'utf8') : null;
        texts.ids[index] = text === null ? NO_TEXT : texts.idOf(text, 0, text.length);
      }
      const numbers = chunk.numbers[slot] ?? null;
      if (numbers === null) return;
      const number = type === 'time' && value instanceof Date ? value.getTime() : value;
      numbers[index] = typeof number === 'number' ? number : NaN;
    });
  }
}

/** How long an element's value is; -1 for a type that rows need not be told apart by: such a row is decoded as a whole. */
function lengthOf(type: number, view: DataView, at: number): number {
  switch (type) {
    case TYPE.double:
    case TYPE.date:
    case TYPE.int64:
    case TYPE.timestamp:
      return 8;
    case TYPE.string:
      return 4 + view.getInt32(at, true);
    case TYPE.document:
    case TYPE.array:
      return view.getInt32(at, true);
    case TYPE.objectId:
      return 12;
    case TYPE.boolean:
      return 1;
    case TYPE.null:
      return 0;
    case TYPE.int32:
      return 4;
    case TYPE.decimal:
      return 16;
    default:
      return -1;
  }
}

function int64(view: DataView, at: number): number {
  return view.getInt32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
}
