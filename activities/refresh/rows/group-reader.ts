import type { Document } from 'mongodb';
import { NumberColumn } from '../../../domain/lookups/number-column.js';
import { afterName } from '../../../stores/transactions/after-name.js';
import type { RowScanner, ScannedField } from './row-scanner.js';

const TYPE = { end: 0, double: 1, string: 2, document: 3, array: 4, null: 10, int32: 16 } as const;
/** of the names that the stage gives */
const INITIAL = { id: 0x5f, rows: 0x72 } as const;
const ZERO = 0x30;

/** Rows that the server found to have the same texts, group after group: no object for each of them, since there are many. */
export class Groups {
  /** for each group one per text field: its number, see the scanner's `interners` */
  readonly texts: number[] = [];
  /** how many each group has */
  readonly rows: number[] = [];
  /** one per row, where rows have a number; else empty */
  readonly numbers = new NumberColumn((length) => new Float64Array(length));

  clear(): void {
    this.texts.length = 0;
    this.rows.length = 0;
    this.numbers.clear();
  }
}

/**
 * Lets the server group rows by their texts, which is many times less to send and to read. It stands in for reading them one by one where rows have
 * no number or one, and no time but the window's, of which only the day counts.
 */
export class GroupReader {
  /** how the server groups */
  readonly stage: Document;
  /** whether rows of different days (UTC) must not meet in a group */
  readonly byDay: boolean;
  readonly numberSlot: number;
  readonly timeSlot: number;
  readonly textSlots: readonly number[];
  readonly #interners: RowScanner['interners'];

  private constructor(fields: readonly ScannedField[], interners: RowScanner['interners']) {
    const slotsOf = (type: ScannedField['type']): number[] =>
      fields.flatMap((field, slot) => (field.type === type ? [slot] : []));
    this.textSlots = slotsOf('string');
    this.numberSlot = slotsOf('number')[0] ?? -1;
    this.timeSlot = slotsOf('time')[0] ?? -1;
    this.byDay = this.timeSlot >= 0;
    this.#interners = interners;
    const paths = this.textSlots.map((slot) => `$${fields[slot]?.name}`);
    // A single text is its own key, which costs the server half of what a document does.
    const key = paths.length === 1 ? paths[0] : Object.fromEntries(paths.map((path, i) => [String(i), path]));
    const number = fields[this.numberSlot];
    this.stage = {
      $group: { _id: key, rows: { $sum: 1 }, ...(number && { numbers: { $push: `$${number.name}` } }) },
    };
  }

  /**
   * @param timeField of the collection: the window is one of it
   * @returns null where rows have to be read one by one
   */
  static for(
    fields: readonly ScannedField[],
    { interners }: Pick<RowScanner, 'interners'>,
    timeField: string,
  ): GroupReader | null {
    const count = (type: ScannedField['type']): number => fields.filter((field) => field.type === type).length;
    const isOfWindow = fields.every(({ name, type }) => type !== 'time' || name === timeField);
    return count('string') > 0 && count('number') <= 1 && isOfWindow ? new GroupReader(fields, interners) : null;
  }

  /**
   * @param batch a BSON array of what `stage` made
   * @param groups these are added to
   * @returns false when any value is not what the fields' types want: then the rows have to be looked at themselves
   */
  read(batch: Buffer, groups: Groups): boolean {
    const view = new DataView(batch.buffer, batch.byteOffset, batch.length);
    for (let at = 4; batch[at] !== TYPE.end;) {
      at = afterName(batch, at);
      if (!this.#readGroup(batch, view, at, groups)) return false;
      at += view.getInt32(at, true);
    }
    return true;
  }

  /** Its `_id`, where the rows have any text, `rows`, and `numbers`: in this order, as the stage says. */
  #readGroup(batch: Buffer, view: DataView, start: number, groups: Groups): boolean {
    const { texts, numbers } = groups;
    const before = numbers.length;
    for (const slot of this.textSlots) texts.push(this.#missing(slot));
    let rows = 0;
    for (let at = start + 4; batch[at] !== TYPE.end;) {
      const type = batch[at];
      const initial = batch[at + 1];
      at = afterName(batch, at);
      if (initial === INITIAL.id) {
        const isOne = this.textSlots.length === 1;
        at = isOne ? this.#readText(batch, view, at, type, 0, texts) : this.#readTexts(batch, view, at, type, texts);
        if (at < 0) return false;
      } else if (initial === INITIAL.rows) {
        if (type !== TYPE.int32) return false;
        rows = view.getInt32(at, true);
        at += 4;
      } else {
        if (!readNumbers(batch, view, at, numbers)) return false;
        at += view.getInt32(at, true);
      }
    }
    groups.rows.push(rows);
    // The server leaves a number out that is not there.
    return this.numberSlot < 0 || numbers.length - before === rows;
  }

  #readTexts(batch: Buffer, view: DataView, start: number, keyType: number | undefined, texts: number[]): number {
    if (keyType !== TYPE.document) return -1;
    let at = start + 4;
    while (batch[at] !== TYPE.end) {
      const type = batch[at];
      // Its position, in digits.
      let index = 0;
      for (at++; batch[at] !== 0; at++) index = index * 10 + (batch[at] ?? 0) - ZERO;
      at = this.#readText(batch, view, at + 1, type, index, texts);
      if (at < 0) return -1;
    }
    return at + 1;
  }

  /**
   * @param texts whose last ones are the group's own
   * @returns where it ends; -1 for what is no text
   */
  #readText(
    batch: Buffer,
    view: DataView,
    at: number,
    type: number | undefined,
    index: number,
    texts: number[],
  ): number {
    if (type === TYPE.null) return at;
    if (type !== TYPE.string) return -1;
    const slot = this.textSlots[index] ?? -1;
    const length = view.getInt32(at, true);
    texts[texts.length - this.textSlots.length + index] = this.#interners[slot]?.idOf(batch, at + 4, length - 1) ?? 0;
    return at + 4 + length;
  }

  #missing(slot: number): number {
    return this.#interners[slot]?.idOfNull() ?? 0;
  }
}

/** Adds those of a BSON array of finite doubles and 32-bit integers; false when it holds anything else. */
function readNumbers(batch: Buffer, view: DataView, start: number, numbers: Groups['numbers']): boolean {
  for (let at = start + 4; batch[at] !== TYPE.end;) {
    const type = batch[at];
    at = afterName(batch, at);
    if (type === TYPE.double) {
      const value = view.getFloat64(at, true);
      if (!Number.isFinite(value)) return false;
      numbers.push(value);
      at += 8;
    } else if (type === TYPE.int32) {
      numbers.push(view.getInt32(at, true));
      at += 4;
    } else return false;
  }
  return true;
}
