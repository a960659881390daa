import type { CategoryStats, FxRates, MerchantFreqMap, Op, OperationTypeSynonyms, Stats } from '../../schemas/types.js';
import { normaliseText } from '../lookups/normalise.js';
import { compileRates } from '../lookups/rates.js';
import { opLookup } from './op-inputs.js';
import { quoted, RegistryError, type Notice } from './refusal.js';
import type { Row } from './row.js';
import { utcHour, utcWeekday } from './time.js';

/** Lookup name → its document, as validated against its schema. */
export type Lookups = Readonly<Record<string, unknown>>;

/** An op ready to run on the row at hand. NaN or null is "no value", with the reason in `row.cause`. */
export type CompiledOp = { type: 'number'; evaluate: () => number } | { type: 'string'; evaluate: () => string | null };

/** A key that only documents of this kind have: catches a registry that names the wrong lookup. */
const SHAPE_KEY = {
  static: 'synonyms',
  fixings: 'exchange_rates',
  frequency: 'frequencies',
  robust_stats: 'overall',
} as const;

/** The document of the lookup that an op reads. @throws RegistryError when it is missing or of the wrong kind */
export function lookupOf<T>(op: Op, lookups: Lookups): T {
  const needed = opLookup(op);
  if (needed === null) throw new RegistryError(`${op.kind} reads no lookup`);
  const document = lookups[needed.name];
  if (document === undefined) throw new RegistryError(`${op.kind} needs the lookup ${needed.name}, which is not there`);
  if (typeof document !== 'object' || document === null || !(SHAPE_KEY[needed.kind] in document))
    throw new RegistryError(`${op.kind} cannot read the lookup ${needed.name}: it has no ${SHAPE_KEY[needed.kind]}`);
  return document as T;
}

/** The op's value for the row at hand. Kinds are generic: every name comes from the registry. */
export function compileOp(op: Op, row: Row, lookups: Lookups): CompiledOp {
  const compile = COMPILERS[op.kind] as (op: Op, row: Row, lookups: Lookups) => CompiledOp;
  return compile(op, row, lookups);
}

type OfKind<Kind extends Op['kind']> = Extract<Op, { kind: Kind }>;

/** By kind: finds slots and lookups once, and gives what runs for each row. */
const COMPILERS: { [Kind in Op['kind']]: (op: OfKind<Kind>, row: Row, lookups: Lookups) => CompiledOp } = {
  value: (op, row) => number(numberOf(row, op.input, 'number')),

  log1p(op, row) {
    const input = numberOf(row, op.input, 'number');
    return number(() => {
      const value = input();
      if (value <= -1) row.cause = { path: `/${op.input}`, message: 'has no logarithm' };
      return value <= -1 ? NaN : Math.log1p(value);
    });
  },

  normalise(op, row) {
    const input = textOf(row, op.input);
    const empty: Notice = { path: `/${op.input}`, message: 'is empty' };
    return string(() => {
      const text = input();
      if (text === null) return null;
      const normalised = normaliseText(text);
      if (normalised !== '') return normalised;
      row.cause = empty;
      return null;
    });
  },

  canonical(op, row, lookups) {
    const input = textOf(row, op.input);
    const canonical = canonicalBySpelling(lookupOf<OperationTypeSynonyms>(op, lookups), op.lookup);
    return string(() => {
      const text = input();
      if (text === null) return null;
      const found = canonical.get(normaliseText(text));
      if (found !== undefined) return found;
      row.cause = { path: `/${op.input}`, message: `${quoted(text)} is not in ${op.lookup}` };
      return null;
    });
  },

  convert(op, row, lookups) {
    const amount = numberOf(row, op.amount, 'number');
    const currency = textOf(row, op.currency);
    const at = numberOf(row, op.at, 'time');
    const rates = compileRates(lookupOf<FxRates>(op, lookups));
    return number(() => {
      const value = amount();
      if (Number.isNaN(value)) return NaN;
      const bookedAt = at();
      if (Number.isNaN(bookedAt)) return NaN;
      const unit = currency();
      if (unit === null) return NaN;
      let fixing = rates.fixingBefore(bookedAt);
      if (fixing < 0) {
        const late = { path: `/${op.at}`, message: `is not after the oldest fixing known (${rates.oldestFixing})` };
        if (op.before_oldest === 'refuse') {
          row.cause = late;
          return NaN;
        }
        row.notices.push({ ...late, message: `${late.message}; converted at that one` });
        fixing = 0;
      }
      const rate = rates.rateAt(fixing, unit);
      if (Number.isNaN(rate))
        row.cause = {
          path: `/${op.currency}`,
          message: `${quoted(unit)} is not quoted in the fixing of ${rates.dateOf(fixing)}`,
        };
      return value * rate;
    });
  },

  frequency(op, row, lookups) {
    const key = textOf(row, op.key);
    const { frequencies, floor } = lookupOf<MerchantFreqMap>(op, lookups);
    const byKey = new Map(Object.entries(frequencies));
    return number(() => {
      const text = key();
      return text === null ? NaN : (byKey.get(text) ?? floor);
    });
  },

  robust_z: (op, row, lookups) => againstGroup(op, row, lookups, robustZ),
  ratio_to_cap: (op, row, lookups) => againstGroup(op, row, lookups, ratioToCap),

  hour_of_day(op, row) {
    const at = numberOf(row, op.at, 'time');
    return number(() => utcHour(at()));
  },

  day_of_week(op, row) {
    const at = numberOf(row, op.at, 'time');
    return number(() => utcWeekday(at()));
  },

  index_of(op, row) {
    const input = textOf(row, op.input);
    const positions = new Map(op.values.map((value, position) => [value, position]));
    return number(() => {
      const text = input();
      if (text === null) return NaN;
      const position = positions.get(text);
      if (position !== undefined) return position;
      row.cause = { path: `/${op.input}`, message: `${quoted(text)} is not among the values that the model knows` };
      return NaN;
    });
  },
};

/** Reads a number of the row at hand; where there is none, NaN, and the row's cause says why. */
function numberOf(row: Row, name: string, type: 'number' | 'time'): () => number {
  const slot = row.slotOf(name, type);
  const { numbers, numberCauses } = row;
  return () => {
    const value = numbers[slot] ?? NaN;
    if (Number.isNaN(value)) row.cause = numberCauses[slot] ?? row.cause;
    return value;
  };
}

/** As `numberOf`, of a text, and null. */
function textOf(row: Row, name: string): () => string | null {
  const slot = row.slotOf(name, 'string');
  const { strings, stringCauses } = row;
  return () => {
    const text = strings[slot] ?? null;
    if (text === null) row.cause = stringCauses[slot] ?? row.cause;
    return text;
  };
}

/** A value against its group's statistics; the overall ones for a row without a group, or with a group that the window did not show. */
function againstGroup(
  op: OfKind<'robust_z' | 'ratio_to_cap'>,
  row: Row,
  lookups: Lookups,
  figure: (value: number, stats: Stats) => number,
): CompiledOp {
  const value = numberOf(row, op.value, 'number');
  const group = row.slotOf(op.group, 'string');
  const { overall, categories } = lookupOf<CategoryStats>(op, lookups);
  const byGroup = new Map(Object.entries(categories));
  const { strings } = row;
  return number(() => {
    const name = strings[group] ?? null;
    return figure(value(), name === null ? overall : (byGroup.get(name) ?? overall));
  });
}

/** How many interquartile ranges a value lies above the median of its group; a group without a range counts in units of the value. */
export function robustZ(value: number, { median, iqr }: Stats): number {
  return (value - median) / (iqr > 0 ? iqr : 1);
}

/** A value as a share of the 99.5 % quantile of its group. */
export function ratioToCap(value: number, { p995 }: Stats): number {
  return value / (p995 > 0 ? p995 : 1);
}

function number(evaluate: () => number): CompiledOp {
  return { type: 'number', evaluate };
}

function string(evaluate: () => string | null): CompiledOp {
  return { type: 'string', evaluate };
}

/** Normalised spelling → canonical value; a spelling that is given to two values is an error, not a race. */
function canonicalBySpelling({ canonical, synonyms }: OperationTypeSynonyms, lookup: string): Map<string, string> {
  const known = new Set(canonical);
  const bySpelling = new Map<string, string>();
  for (const [spelling, value] of [...canonical.map((value) => [value, value] as const), ...Object.entries(synonyms)]) {
    if (!known.has(value))
      throw new RegistryError(`${lookup}: ${quoted(spelling)} leads to ${quoted(value)}, which is not canonical`);
    const key = normaliseText(spelling);
    const other = bySpelling.get(key);
    if (other !== undefined && other !== value)
      throw new RegistryError(`${lookup}: ${quoted(spelling)} leads to ${quoted(other)} and to ${quoted(value)}`);
    bySpelling.set(key, value);
  }
  return bySpelling;
}
