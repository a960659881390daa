import type { ValueType } from '../../../domain/features/op-inputs.js';
import { afterName } from '../../../stores/transactions/after-name.js';
import { FieldNames } from '../../../stores/transactions/field-names.js';
import { Interner } from './interner.js';

/** A field of the documents and how it is read. */
export interface ScannedField {
  name: string;
  type: ValueType;
}

const TYPE = { end: 0, double: 1, string: 2, date: 9, int32: 16 } as const;

/**
 * Reads rows out of BSON without making objects of them: into one slot per field, in the order of the fields. A row is usual when every field is
 * there once, as a finite double or 32-bit integer, a string, or a date, as its type wants; every other row is odd and handed out as its bytes.
 */
export class RowScanner {
  /** of the usual row at hand: numbers, and times as epoch ms */
  readonly numbers: Float64Array;
  /** of the usual row at hand: the number of a text, see `interners` */
  readonly texts: Int32Array;
  /** by field; unused for those that are not texts */
  readonly interners: readonly Interner[];
  readonly #names: FieldNames;
  readonly #types: readonly ValueType[];

  constructor(fields: readonly ScannedField[]) {
    this.numbers = new Float64Array(fields.length);
    this.texts = new Int32Array(fields.length);
    this.interners = fields.map(() => new Interner());
    this.#names = new FieldNames(fields.map(({ name }) => name));
    this.#types = fields.map(({ type }) => type);
  }

  /**
   * @param batch a BSON array of documents that hold no other than the fields
   * @param usual called for each usual row, with its values in the slots
   * @param odd called for each other row
   * @returns number of rows
   */
  scan(batch: Buffer, usual: () => void, odd: (document: Buffer) => void): number {
    return this.#walk(batch, (view, at, end) => {
      if (this.#read(batch, view, at + 4)) usual();
      else odd(batch.subarray(at, end));
    });
  }

  /** As `scan`, but every row is handed out as its bytes. */
  split(batch: Buffer, each: (document: Buffer) => void): number {
    return this.#walk(batch, (_, at, end) => each(batch.subarray(at, end)));
  }

  #walk(batch: Buffer, each: (view: DataView, at: number, end: number) => void): number {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
    let rows = 0;
    for (let at = 4; batch[at] !== TYPE.end; rows++) {
      // An element is its type, its position as text, a zero, and the document.
      at = afterName(batch, at);
      const end = at + view.getInt32(at, true);
      each(view, at, end);
      at = end;
    }
    return rows;
  }

  #read(batch: Buffer, view: DataView, start: number): boolean {
    this.#names.beginRow();
    let found = 0;
    for (let at = start; batch[at] !== TYPE.end; found++) {
      const type = batch[at++];
      const field = this.#names.at(batch, at, found);
      if (field < 0 || this.#names.isRepeated(field)) return false;
      at += this.#names.bytesOf(field);
      switch (this.#types[field]) {
        case 'number':
          if (type === TYPE.double) {
            const value = view.getFloat64(at, true);
            if (!Number.isFinite(value)) return false;
            this.numbers[field] = value;
            at += 8;
          } else if (type === TYPE.int32) {
            this.numbers[field] = view.getInt32(at, true);
            at += 4;
          } else return false;
          break;
        case 'string': {
          if (type !== TYPE.string) return false;
          const length = view.getInt32(at, true);
          this.texts[field] = this.interners[field]?.idOf(batch, at + 4, length - 1) ?? 0;
          at += 4 + length;
          break;
        }
        default:
          if (type !== TYPE.date) return false;
          this.numbers[field] = view.getInt32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true);
          at += 8;
      }
    }
    return found === this.#types.length;
  }
}
