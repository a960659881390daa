import type { RowChunk } from '../columns/row-chunk.js';
import { NO_TEXT } from '../columns/text-column.js';
import { epochMs } from '../features/time.js';
import type { ValueType } from '../features/op-inputs.js';
import type { Field } from '../../schemas/types.js';
import { Tally } from './tally.js';

const MAX_DISTINCT = 200;

/** What the data checks look at in one field of the request, over all rows. */
export class FieldProfile {
  readonly #values = new Tally(MAX_DISTINCT);
  #missing = 0;
  #invalid = 0;
  #min = Infinity;
  #max = -Infinity;

  constructor(
    readonly name: string,
    private readonly type: ValueType,
  ) {}

  observe(value: unknown): void {
    if (value === null || value === undefined || value === '' || Number.isNaN(value)) this.#missing++;
    else if (this.type === 'string') {
      if (typeof value === 'string') this.#values.add(value);
      else this.#invalid++;
    } else {
      const number = this.type === 'time' ? epochMs(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number)) this.#invalid++;
      else if (this.type === 'number') this.#range(number);
    }
  }

  /** As `observe` for every usual row of a chunk. */
  observeColumn(chunk: RowChunk): void {
    if (this.type === 'number') {
      const column = chunk.numbersOf(this.name);
      for (let row = 0; row < chunk.rows; row++) if (!chunk.odd.has(row)) this.#range(column[row] ?? NaN);
    } else if (this.type === 'string') {
      const column = chunk.textsOf(this.name);
      const counts = new Uint32Array(column.size);
      for (let row = 0; row < chunk.rows; row++) {
        const id = column.ids[row] ?? NO_TEXT;
        if (id !== NO_TEXT) counts[id] = (counts[id] ?? 0) + 1;
      }
      for (const row of chunk.odd.keys()) {
        const id = column.ids[row] ?? NO_TEXT;
        if (id !== NO_TEXT) counts[id] = (counts[id] ?? 0) - 1;
      }
      for (let id = 0; id < counts.length; id++) {
        const count = counts[id] ?? 0;
        if (count === 0) continue;
        if (column.starts[id] === column.starts[id + 1]) this.#missing += count;
        else if (!this.#values.isFull) this.#values.add(column.textOf(id), count);
      }
    }
  }

  result(): Field {
    const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
    return {
      missing: this.#missing,
      invalid: this.#invalid,
      min: finite(this.#min),
      max: finite(this.#max),
      values: this.type === 'string' ? this.#values.counts() : null,
    };
  }

  #range(value: number): void {
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
  }
}
