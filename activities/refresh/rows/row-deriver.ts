import { BSON } from 'mongodb';
import { compileFeatures, type Derived, type FeatureComputer, type Lookups } from '../../../domain/features/compile.js';
import { opInputs } from '../../../domain/features/op-inputs.js';
import type { FeatureRegistry } from '../../../schemas/types.js';
import { deriveOrRefusal, tooLarge } from './derive-or-refusal.js';
import { GroupReader, type Groups } from './group-reader.js';
import { Refusals } from './refusals.js';
import { RowScanner, type ScannedField } from './row-scanner.js';
import { compileSteps, type Step, type Steps } from './steps.js';
import { valueCheck, type DeclaredValues, type ValueCheck } from './value-checks.js';

/** The raw fields that a registry's derived values are made from. */
export function rawInputs(derived: FeatureRegistry['derived']): ScannedField[] {
  const made = new Set<string>();
  const fields = new Map<string, ScannedField>();
  for (const { name, op } of derived) {
    for (const input of opInputs(op))
      if (!made.has(input.name)) fields.set(input.name, { name: input.name, type: input.type });
    made.add(name);
  }
  return [...fields.values()];
}

/**
 * The derived values of rows as `compileFeatures` computes them, for millions of rows. Usual rows take the short way (`compileSteps`) where the
 * registry has one; odd ones, and any others, go through the compiled ops. Rows that the registry refuses, or that lie outside what the spec
 * declares, are left out and counted.
 */
export class RowDeriver {
  readonly refused = new Refusals();
  readonly #fields: readonly ScannedField[];
  readonly #scanner: RowScanner;
  readonly #computer: FeatureComputer;
  readonly #checks: readonly { field: string; check: ValueCheck }[];
  readonly #steps: Steps | null;
  /** of the usual row at hand */
  readonly #derived: Derived = {};

  constructor({ derived }: Pick<FeatureRegistry, 'derived'>, lookups: Lookups, declared: DeclaredValues) {
    const fields = rawInputs(derived);
    this.#fields = fields;
    this.#scanner = new RowScanner(fields);
    this.#computer = compileFeatures({ derived, features: [] }, lookups);
    this.#checks = fields.flatMap(({ name }) => {
      const check = valueCheck(name, declared);
      return check === null ? [] : [{ field: name, check }];
    });
    this.#steps = compileSteps({ scanner: this.#scanner, fields, derived, lookups }, declared, this.#derived);
  }

  /**
   * @param batch a BSON array of documents that hold the raw fields and no others
   * @param add called with the derived values of each row that can be used; the next row changes them
   * @returns number of rows, the refused ones included
   */
  read(batch: Buffer, add: (derived: Readonly<Derived>) => void): number {
    const steps = this.#steps;
    const slowly = (document: Buffer): void => this.#compute(document, add);
    if (steps === null) return this.#scanner.split(batch, slowly);
    const usual = (): void => {
      const refusal = refusalOf(steps.texts) ?? refusalOf(steps.numbers);
      if (refusal === null) add(this.#derived);
      else this.refused.add(refusal);
    };
    return this.#scanner.scan(batch, usual, slowly);
  }

  /**
   * How the server may group rows, so that `addGroups` does for groups what `read` does for rows; null where it may not.
   * @param timeField of the collection
   */
  grouping(timeField: string): GroupReader | null {
    return this.#steps === null ? null : GroupReader.for(this.#fields, this.#scanner, timeField);
  }

  /**
   * @param reader of `grouping`
   * @param timeMs any moment of the groups' day, or of another that is converted alike
   * @param add called with the derived values of usable rows, and how many rows have these
   * @returns number of rows, the refused ones included
   */
  addGroups(
    reader: GroupReader,
    groups: Groups,
    timeMs: number,
    add: (derived: Readonly<Derived>, rows: number) => void,
  ): number {
    const steps = this.#steps ?? { texts: [], numbers: [] };
    const slots = this.#scanner;
    slots.numbers[reader.timeSlot] = timeMs;
    const numbers = groups.numbers.values();
    let [rows, text] = [0, 0];
    for (const count of groups.rows) {
      const from = rows;
      rows += count;
      for (const slot of reader.textSlots) slots.texts[slot] = groups.texts[text++] ?? 0;
      const refusal = refusalOf(steps.texts);
      if (refusal !== null) this.refused.add(refusal, count);
      else if (reader.numberSlot < 0) add(this.#derived, count);
      else
        for (let row = from; row < rows; row++) {
          slots.numbers[reader.numberSlot] = numbers[row] ?? NaN;
          const why = refusalOf(steps.numbers);
          if (why === null) add(this.#derived, 1);
          else this.refused.add(why);
        }
    }
    return rows;
  }

  #compute(bytes: Buffer, add: (derived: Derived) => void): void {
    const row = BSON.deserialize(bytes, { validation: { utf8: false } });
    for (const { field, check } of this.#checks) {
      const refusal = check(row[field]);
      if (refusal !== null) return this.refused.add(refusal);
    }
    const derived = deriveOrRefusal(this.#computer, row);
    if (typeof derived === 'string') return this.refused.add(derived);
    for (const [name, value] of Object.entries(derived))
      if (typeof value === 'number' && !Number.isFinite(value)) return this.refused.add(tooLarge(name));
    add(derived);
  }
}

function refusalOf(steps: readonly Step[]): string | null {
  for (const step of steps) {
    const refusal = step();
    if (refusal !== null) return refusal;
  }
  return null;
}
