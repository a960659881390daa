import type { RowChunk } from '../columns/row-chunk.js';
import { NO_TEXT } from '../columns/text-column.js';
import { FingerprintSet, fingerprintOf, fingerprintsOf, mixed } from './fingerprint-set.js';

/**
 * Counts rows that say what another one says already. Rows come in the order of their event time, which is part of what they say, so a row is compared
 * with those of its own time only, and memory does not grow with the rows.
 */
export class RepeatedContents {
  repeated = 0;
  #timeMs = NaN;
  /** of the first row of this time; the second one puts both into the set */
  #firstHigh = 0;
  #firstLow = 0;
  #isFirst = false;
  readonly #ofThisTime = new FingerprintSet();
  /** of the rows of the chunk at hand */
  #high = new Int32Array();
  #low = new Int32Array();

  /** @param fields that are compared */
  constructor(private readonly fields: readonly string[]) {}

  /** @returns whether an earlier row says the same */
  add(timeMs: number, raw: Readonly<Record<string, unknown>>): boolean {
    let content = '';
    for (const name of this.fields) {
      const value = raw[name];
      content += `${value instanceof Date ? value.getTime() : String(value)}\u0000`;
    }
    const { high, low } = fingerprintOf(content);
    return this.#add(timeMs, high, low);
  }

  /** Prepares for the rows of a chunk. */
  open(chunk: RowChunk): void {
    this.#high = new Int32Array(chunk.rows).fill(0x811c9dc5);
    this.#low = new Int32Array(chunk.rows).fill(0x9e3779b9);
    for (const [slot, { name }] of chunk.fields.entries()) {
      if (!this.fields.includes(name)) continue;
      const texts = chunk.texts[slot] ?? null;
      const numbers = chunk.numbers[slot] ?? null;
      if (texts !== null) this.#mixTexts(texts.ids, fingerprintsOf(texts));
      else if (numbers !== null) this.#mixNumbers(new Int32Array(numbers.buffer));
    }
  }

  /** Whether a row's columns hold all that is compared. */
  holds(chunk: RowChunk, row: number): boolean {
    return chunk.fields.every(({ name }, slot) => {
      if (!this.fields.includes(name)) return true;
      const ids = chunk.texts[slot]?.ids;
      return ids === undefined ? !Number.isNaN(chunk.numbers[slot]?.[row] ?? NaN) : (ids[row] ?? NO_TEXT) !== NO_TEXT;
    });
  }

  /** As `add`, for a row of the chunk whose columns hold all that is compared. */
  addRow(timeMs: number, row: number): boolean {
    return this.#add(timeMs, mixed(this.#high[row] ?? 0), mixed(this.#low[row] ?? 0));
  }

  #mixTexts(ids: Int32Array, { high, low }: ReturnType<typeof fingerprintsOf>): void {
    for (let row = 0; row < this.#high.length; row++) {
      const id = ids[row] ?? NO_TEXT;
      this.#mix(row, high[id] ?? 0, low[id] ?? 0);
    }
  }

  /** @param words halves of the doubles */
  #mixNumbers(words: Int32Array): void {
    for (let row = 0; row < this.#high.length; row++) this.#mix(row, words[row * 2] ?? 0, words[row * 2 + 1] ?? 0);
  }

  #mix(row: number, high: number, low: number): void {
    this.#high[row] = mixed((Math.imul((this.#high[row] ?? 0) ^ high, 0x01000193) + low) | 0);
    this.#low[row] = mixed(Math.imul(((this.#low[row] ?? 0) + low) | 0, 0x85ebca6b) ^ high);
  }

  #add(timeMs: number, high: number, low: number): boolean {
    if (timeMs !== this.#timeMs) {
      this.#timeMs = timeMs;
      this.#firstHigh = high;
      this.#firstLow = low;
      this.#isFirst = true;
      this.#ofThisTime.clear();
      return false;
    }
    if (this.#isFirst) this.#ofThisTime.addFingerprint(this.#firstHigh, this.#firstLow);
    this.#isFirst = false;
    const repeats = !this.#ofThisTime.addFingerprint(high, low);
    if (repeats) this.repeated++;
    return repeats;
  }
}
