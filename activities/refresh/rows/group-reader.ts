import type { Document } from 'mongodb';
import { NumberColumn } from '../../../domain/lookups/number-column.js';
import type { RowScanner, ScannedField } from './row-scanner.js';

const TYPE = { end: 0, double: 1, string: 2, document: 3, array: 4, null: 10, int32: 16 } as const;

/** Rows that the server found to have the same texts. */
export interface Group {
  /** one per text field: its number, see the scanner's `interners` */
  texts: number[];
  rows: number;
}

/** Groups as they come, and the numbers of their rows. */
export class Groups {
  readonly list: Group[] = [];
  /** one per row, group after group, where rows have a number; else empty */
  readonly numbers = new NumberColumn((length) => new Float64Array(length));
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
      at = batch.indexOf(0, at + 1) + 1;
      const group = this.#readGroup(batch, view, at, groups.numbers);
      if (group === null) return false;
      groups.list.push(group);
      at += batch.readInt32LE(at);
    }
    return true;
  }

  /** Its key, where the rows have any, their number, and their numbers: in this order, as the stage says. */
  #readGroup(batch: Buffer, view: DataView, start: number, numbers: Numbers): Group | null {
    const group: Group = { texts: this.textSlots.map((slot) => this.#missing(slot)), rows: 0 };
    const before = numbers.length;
    for (let at = start + 4; batch[at] !== TYPE.end;) {
      const type = batch[at];
      const nameEnd = batch.indexOf(0, at + 1);
      const name = batch.toString('latin1', at + 1, nameEnd);
      at = nameEnd + 1;
      if (name === '_id') {
        const end =
          this.textSlots.length === 1
            ? this.#readText(batch, at, type, 0, group)
            : this.#readTexts(batch, at, type, group);
        if (end < 0) return null;
        at = end;
      } else if (name === 'rows') {
        if (type !== TYPE.int32) return null;
        group.rows = batch.readInt32LE(at);
        at += 4;
      } else {
        if (!readNumbers(batch, view, at, numbers)) return null;
        at += batch.readInt32LE(at);
      }
    }
    // The server leaves a number out that is not there.
    return this.numberSlot >= 0 && numbers.length - before !== group.rows ? null : group;
  }

  #readTexts(batch: Buffer, start: number, keyType: number | undefined, group: Group): number {
    if (keyType !== TYPE.document) return -1;
    let at = start + 4;
    while (batch[at] !== TYPE.end) {
      const type = batch[at];
      const nameEnd = batch.indexOf(0, at + 1);
      const index = Number(batch.toString('latin1', at + 1, nameEnd));
      at = this.#readText(batch, nameEnd + 1, type, index, group);
      if (at < 0) return -1;
    }
    return at + 1;
  }

  /** @returns where it ends; -1 for what is no text */
  #readText(batch: Buffer, at: number, type: number | undefined, index: number, group: Group): number {
    const slot = this.textSlots[index] ?? -1;
    if (type === TYPE.null) return at;
    if (type !== TYPE.string) return -1;
    const length = batch.readInt32LE(at);
    group.texts[index] = this.#interners[slot]?.idOf(batch, at + 4, length - 1) ?? 0;
    return at + 4 + length;
  }

  #missing(slot: number): number {
    return this.#interners[slot]?.idOfNull() ?? 0;
  }
}

type Numbers = Groups['numbers'];

/** Adds those of a BSON array of finite doubles and 32-bit integers; false when it holds anything else. */
function readNumbers(batch: Buffer, view: DataView, start: number, numbers: Numbers): boolean {
  for (let at = start + 4; batch[at] !== TYPE.end;) {
    const type = batch[at];
    do at++;
    while (batch[at] !== 0);
    at++;
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
