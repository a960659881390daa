import { RegistryError, FeatureRefusal, quoted, type Notice } from './refusal.js';
import type { ValueType } from './op-inputs.js';
import { epochMs } from './time.js';

const MISSING = 'is missing';

/**
 * The values of the row at hand, in flat slots: numbers (NaN is null; times as epoch ms) and strings. One row at a time, reused, so that
 * computing allocates next to nothing.
 */
export class Row {
  readonly numbers: number[] = [];
  readonly strings: (string | null)[] = [];
  /** why a slot is null; meaningful only while it is */
  readonly numberCauses: Notice[] = [];
  readonly stringCauses: Notice[] = [];
  /** what the op that just gave null says about it */
  cause: Notice = { path: '', message: MISSING };
  /** null policies at work in this row; replaced, never emptied, since callers keep it */
  notices: Notice[] = [];
  readonly #slots = new Map<string, { type: ValueType; slot: number; derived: boolean }>();
  readonly #readers: ((raw: Record<string, unknown>) => void)[] = [];

  /** Reads every field that some op asked for. Wrong types are refused here; absence is left to the null policies. */
  read(raw: unknown): void {
    if (typeof raw !== 'object' || raw === null) throw new FeatureRefusal('', 'must be an object');
    this.notices = [];
    for (const read of this.#readers) read(raw as Record<string, unknown>);
  }

  /** The slot of a derived value declared earlier, or of a field of the request. */
  slotOf(name: string, type: ValueType): number {
    const known = this.#slots.get(name);
    if (known !== undefined) {
      if (known.type !== type) throw new RegistryError(`${name} is read as a ${known.type} and as a ${type}`);
      return known.slot;
    }
    const slot = type === 'string' ? this.strings.push(null) - 1 : this.numbers.push(NaN) - 1;
    this.#slots.set(name, { type, slot, derived: false });
    this.#readers.push(this.#reader(name, type, slot));
    return slot;
  }

  /** A slot for a derived value. */
  declare(name: string, type: 'number' | 'string'): number {
    if (this.#slots.has(name)) throw new RegistryError(`${name} is declared twice, or used before it is declared`);
    const slot = type === 'string' ? this.strings.push(null) - 1 : this.numbers.push(NaN) - 1;
    this.#slots.set(name, { type, slot, derived: true });
    return slot;
  }

  #reader(name: string, type: ValueType, slot: number): (raw: Record<string, unknown>) => void {
    const path = `/${name}`;
    const missing: Notice = { path, message: MISSING };
    const { numbers, strings, numberCauses, stringCauses } = this;
    if (type === 'string') {
      return (raw) => {
        const value = raw[name];
        if (typeof value === 'string') {
          strings[slot] = value;
        } else if (value === null || value === undefined) {
          strings[slot] = null;
          stringCauses[slot] = missing;
        } else {
          throw new FeatureRefusal(path, 'must be a string');
        }
      };
    }
    return (raw) => {
      const value = raw[name];
      if (value === null || value === undefined) {
        numbers[slot] = NaN;
        numberCauses[slot] = missing;
        return;
      }
      const number = type === 'time' ? epochMs(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number)) {
        throw new FeatureRefusal(
          path,
          type === 'time'
            ? `must be an RFC 3339 time with an offset, not ${quoted(value)}`
            : `must be a finite number, not ${quoted(value)}`,
        );
      }
      numbers[slot] = number;
    };
  }
}
