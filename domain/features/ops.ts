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

/** A compiler per kind of op. Kinds are generic: every name comes from the registry. */
export function compileOp(op: Op, row: Row, lookups: Lookups): CompiledOp {
  const { numbers, strings, numberCauses, stringCauses } = row;
  const because = (cause: Notice | undefined): void => {
    if (cause !== undefined) row.cause = cause;
  };
  switch (op.kind) {
    case 'value': {
      const input = row.slotOf(op.input, 'number');
      return number(() => orCause(input));
    }
    case 'log1p': {
      const input = row.slotOf(op.input, 'number');
      return number(() => {
        const value = orCause(input);
        if (value <= -1) row.cause = { path: `/${op.input}`, message: 'has no logarithm' };
        return value <= -1 ? NaN : Math.log1p(value);
      });
    }
    case 'normalise': {
      const input = row.slotOf(op.input, 'string');
      const empty: Notice = { path: `/${op.input}`, message: 'is empty' };
      return string(() => {
        const text = strings[input] ?? null;
        if (text === null) {
          because(stringCauses[input]);
          return null;
        }
        const normalised = normaliseText(text);
        if (normalised !== '') return normalised;
        row.cause = empty;
        return null;
      });
    }
    case 'canonical': {
      const input = row.slotOf(op.input, 'string');
      const canonical = canonicalBySpelling(lookupOf<OperationTypeSynonyms>(op, lookups), op.lookup);
      return string(() => {
        const text = strings[input] ?? null;
        if (text === null) {
          because(stringCauses[input]);
          return null;
        }
        const found = canonical.get(normaliseText(text));
        if (found !== undefined) return found;
        row.cause = { path: `/${op.input}`, message: `${quoted(text)} is not in ${op.lookup}` };
        return null;
      });
    }
    case 'convert': {
      const amount = row.slotOf(op.amount, 'number');
      const currency = row.slotOf(op.currency, 'string');
      const at = row.slotOf(op.at, 'time');
      const rates = compileRates(lookupOf<FxRates>(op, lookups));
      return number(() => {
        const value = orCause(amount);
        if (Number.isNaN(value)) return NaN;
        const bookedAt = orCause(at);
        if (Number.isNaN(bookedAt)) return NaN;
        const unit = strings[currency] ?? null;
        if (unit === null) {
          because(stringCauses[currency]);
          return NaN;
        }
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
    }
    case 'frequency': {
      const key = row.slotOf(op.key, 'string');
      const { frequencies, floor } = lookupOf<MerchantFreqMap>(op, lookups);
      const byKey = new Map(Object.entries(frequencies));
      return number(() => {
        const text = strings[key] ?? null;
        if (text !== null) return byKey.get(text) ?? floor;
        because(stringCauses[key]);
        return NaN;
      });
    }
    case 'robust_z': {
      const value = row.slotOf(op.value, 'number');
      const of = statsByGroup(row.slotOf(op.group, 'string'), lookupOf<CategoryStats>(op, lookups));
      return number(() => {
        const stats = of();
        return robustZ(orCause(value), stats);
      });
    }
    case 'ratio_to_cap': {
      const value = row.slotOf(op.value, 'number');
      const of = statsByGroup(row.slotOf(op.group, 'string'), lookupOf<CategoryStats>(op, lookups));
      return number(() => {
        const stats = of();
        return ratioToCap(orCause(value), stats);
      });
    }
    case 'hour_of_day': {
      const at = row.slotOf(op.at, 'time');
      return number(() => utcHour(orCause(at)));
    }
    case 'day_of_week': {
      const at = row.slotOf(op.at, 'time');
      return number(() => utcWeekday(orCause(at)));
    }
    case 'index_of': {
      const input = row.slotOf(op.input, 'string');
      const positions = new Map(op.values.map((value, position) => [value, position]));
      return number(() => {
        const text = strings[input] ?? null;
        const position = text === null ? undefined : positions.get(text);
        if (position !== undefined) return position;
        if (text === null) because(stringCauses[input]);
        else
          row.cause = { path: `/${op.input}`, message: `${quoted(text)} is not among the values that the model knows` };
        return NaN;
      });
    }
  }

  function orCause(slot: number): number {
    const value = numbers[slot] ?? NaN;
    if (Number.isNaN(value)) because(numberCauses[slot]);
    return value;
  }

  /** The group's statistics; the overall ones for a row without a group, or with a group that the window did not show. */
  function statsByGroup(group: number, { overall, categories }: CategoryStats): () => Stats {
    const byGroup = new Map(Object.entries(categories));
    return () => {
      const name = strings[group] ?? null;
      return name === null ? overall : (byGroup.get(name) ?? overall);
    };
  }
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
