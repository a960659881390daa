import type { RowChunk } from '../columns/row-chunk.js';
import { FingerprintSet, fingerprintOf, fingerprintsOf, mixed } from './fingerprint-set.js';

type Mix = (row: number) => void;

/**
 * Counts rows that say what another one says already. Rows come in the order of their event time, which is part of what they say, so a row is compared
 * with those of its own time only, and memory does not grow with the rows.
 */
export class RepeatedContents {
  repeated = 0;
  #timeMs = NaN;
  /** of the first row of this time; the second one puts both into the set */
  #first: { high: number; low: number } | null = null;
  readonly #ofThisTime = new FingerprintSet();
  #mixes: readonly Mix[] = [];
  #high = 0;
  #low = 0;

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
    this.#mixes = chunk.fields.flatMap(({ name }, slot): Mix[] => {
      if (!this.fields.includes(name)) return [];
      const texts = chunk.texts[slot];
      if (texts != null) {
        const { high, low } = fingerprintsOf(texts);
        const { ids } = texts;
        return [(row) => this.#mix(high[ids[row] ?? -1] ?? 0, low[ids[row] ?? -1] ?? 0)];
      }
      const numbers = chunk.numbers[slot] ?? new Float64Array();
      const words = new Uint32Array(numbers.buffer);
      return [(row) => this.#mix(words[row * 2] ?? 0, words[row * 2 + 1] ?? 0)];
    });
  }

  /** As `add`, for a usual row of the chunk. */
  addRow(timeMs: number, row: number): boolean {
    this.#high = 0x811c9dc5;
    this.#low = 0x9e3779b9;
    for (const mix of this.#mixes) mix(row);
    return this.#add(timeMs, mixed(this.#high), mixed(this.#low));
  }

  #mix(high: number, low: number): void {
    this.#high = mixed(Math.imul(this.#high ^ high, 0x01000193) + low);
    this.#low = mixed(Math.imul(this.#low + low, 0x85ebca6b) ^ high);
  }

  #add(timeMs: number, high: number, low: number): boolean {
    if (timeMs !== this.#timeMs) {
      this.#timeMs = timeMs;
      this.#first = { high, low };
      this.#ofThisTime.clear();
      return false;
    }
    if (this.#first !== null) this.#ofThisTime.addFingerprint(this.#first.high, this.#first.low);
    this.#first = null;
    const repeats = !this.#ofThisTime.addFingerprint(high, low);
    if (repeats) this.repeated++;
    return repeats;
  }
}
