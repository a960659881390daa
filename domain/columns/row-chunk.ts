import type { ValueType } from '../features/op-inputs.js';
import { NO_TEXT, TextColumn } from './text-column.js';

export interface ChunkField {
  name: string;
  type: ValueType;
}

/** A row that is not as its fields' types say, as it is stored. */
export interface OddRow {
  bytes: Uint8Array;
  document: Record<string, unknown>;
}

/**
 * Up to `capacity` rows, a column per field. A row is usual when every field is there once: a finite number, a text, or a date, as its type wants.
 * Any other row is odd: it is kept as it is stored, besides what its columns can hold of it.
 */
export class RowChunk {
  rows = 0;
  /** position of the first row among all rows */
  firstPosition = 0;
  /** by field: of numbers, and of times in epoch ms; NaN where an odd row has none */
  readonly numbers: readonly (Float64Array<ArrayBuffer> | null)[];
  /** by field: of texts */
  readonly texts: readonly (TextColumn | null)[];
  /** by row, in ascending order */
  readonly odd = new Map<number, OddRow>();
  readonly #slots: ReadonlyMap<string, number>;

  constructor(
    readonly fields: readonly ChunkField[],
    readonly capacity: number,
    /** a text field of which no two rows have the same value */
    uniqueField?: string,
  ) {
    this.numbers = fields.map(({ type }) => (type === 'string' ? null : new Float64Array(capacity)));
    this.texts = fields.map(({ name, type }) =>
      type === 'string' ? new TextColumn(capacity, name === uniqueField) : null,
    );
    this.#slots = new Map(fields.map(({ name }, slot) => [name, slot]));
  }

  clear(firstPosition: number): void {
    this.rows = 0;
    this.firstPosition = firstPosition;
    this.odd.clear();
    for (const column of this.texts) column?.clear();
  }

  /** @throws RangeError when no field of numbers or times has this name */
  numbersOf(name: string): Float64Array<ArrayBuffer> {
    const column = this.numbers[this.#slots.get(name) ?? -1] ?? null;
    if (column === null) throw new RangeError(`the rows have no number ${name}`);
    return column;
  }

  /** @throws RangeError when no field of texts has this name */
  textsOf(name: string): TextColumn {
    const column = this.texts[this.#slots.get(name) ?? -1] ?? null;
    if (column === null) throw new RangeError(`the rows have no text ${name}`);
    return column;
  }

  /** A row as an object, as a driver would give it. */
  row(index: number): Record<string, unknown> {
    const odd = this.odd.get(index);
    if (odd !== undefined) return odd.document;
    return Object.fromEntries(
      this.fields.map(({ name, type }, slot): [string, unknown] => {
        const number = this.numbers[slot]?.[index] ?? NaN;
        if (type === 'number') return [name, number];
        if (type === 'time') return [name, new Date(number)];
        return [name, this.#text(slot, index)];
      }),
    );
  }

  #text(slot: number, index: number): string | null {
    const id = this.texts[slot]?.ids[index] ?? NO_TEXT;
    return id === NO_TEXT ? null : (this.texts[slot]?.textOf(id) ?? null);
  }
}
