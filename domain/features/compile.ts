import type { FeatureRegistry } from '../../schemas/types.js';
import { opOutput } from './op-inputs.js';
import { compileOp, type Lookups } from './ops.js';
import { FeatureRefusal, RegistryError, type Notice } from './refusal.js';
import { Row } from './row.js';

export type { Lookups } from './ops.js';
export type { Notice } from './refusal.js';

/** Values on the way to the features (canonical category, amount in base currency …) by name. */
export type Derived = Record<string, string | number | null>;

export interface FeatureComputer {
  /** in the order of the model's input */
  readonly names: readonly string[];
  /**
   * The features of one transaction.
   * @param raw the request's fields; times as RFC 3339 text, Date or epoch ms
   * @throws FeatureRefusal with the offending field's path
   */
  compute(raw: unknown): { values: Float32Array<ArrayBuffer>; derived: Derived; notices: readonly Notice[] };
  /** As `compute`, into `names.length` places of a given buffer from `offset` on; what they hold after a refusal is undefined. */
  computeInto(raw: unknown, buffer: Float32Array, offset: number): { derived: Derived; notices: readonly Notice[] };
}

/**
 * Turns a feature registry and its lookups into a function from a transaction to the model's input. The same function fills the training table
 * and serves the scorer. Not re-entrant, and need not be: it never waits.
 * @throws RegistryError (`InvalidSpec`) when the registry contradicts itself or a lookup is missing or of the wrong kind
 */
export function compileFeatures(
  registry: Pick<FeatureRegistry, 'derived' | 'features'>,
  lookups: Lookups,
): FeatureComputer {
  const row = new Row();
  const derivers = registry.derived.map((declared) => compileDerived(declared, row, lookups));
  const features = registry.features.map((declared) => compileFeature(declared, row, lookups));
  const names = registry.features.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new RegistryError(`the feature ${twice} is declared twice`);

  const computeInto: FeatureComputer['computeInto'] = (raw, buffer, offset) => {
    row.read(raw);
    const derived: Derived = {};
    for (const derive of derivers) derive(derived);
    for (let index = 0; index < features.length; index++) buffer[offset + index] = features[index]?.() ?? NaN;
    return { derived, notices: row.notices };
  };
  return {
    names,
    computeInto,
    compute(raw) {
      const values = new Float32Array(names.length);
      return { values, ...computeInto(raw, values, 0) };
    },
  };
}

function compileDerived(
  { name, op, null_policy }: FeatureRegistry['derived'][number],
  row: Row,
  lookups: Lookups,
): (derived: Derived) => void {
  const compiled = within(name, () => compileOp(op, row, lookups));
  const slot = row.declare(name, opOutput(op));
  const onNull = (): Notice => {
    const cause = row.cause;
    if (null_policy.on_null === 'refuse') throw new FeatureRefusal(cause.path, cause.message);
    row.notices.push({ path: cause.path, message: `${cause.message}; ${name} is unknown` });
    return cause;
  };
  if (compiled.type === 'number') {
    return (derived) => {
      const value = compiled.evaluate();
      row.numbers[slot] = value;
      if (Number.isNaN(value)) row.numberCauses[slot] = onNull();
      derived[name] = Number.isNaN(value) ? null : value;
    };
  }
  return (derived) => {
    const value = compiled.evaluate();
    row.strings[slot] = value;
    if (value === null) row.stringCauses[slot] = onNull();
    derived[name] = value;
  };
}

function compileFeature(
  { name, op, null_policy, sources }: FeatureRegistry['features'][number],
  row: Row,
  lookups: Lookups,
): () => number {
  const compiled = within(name, () => compileOp(op, row, lookups));
  if (compiled.type !== 'number') throw new RegistryError(`${name}: a feature is a number, and ${op.kind} gives text`);
  const { evaluate } = compiled;
  return () => {
    const value = evaluate();
    if (Number.isNaN(value)) {
      const { path, message } = row.cause;
      if (null_policy.on_null === 'refuse') throw new FeatureRefusal(path, message);
      row.notices.push({ path, message: `${message}; ${name} was set to ${null_policy.value}` });
      return null_policy.value;
    }
    if (!Number.isFinite(Math.fround(value)))
      throw new FeatureRefusal(`/${sources[0] ?? ''}`, `is too large: ${name} does not fit a 32-bit float`);
    return value;
  };
}

function within<T>(name: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    if (error instanceof RegistryError) throw new RegistryError(`${name}: ${error.message}`, { cause: error });
    throw error;
  }
}
