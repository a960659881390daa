import { compileFeatures, type Derived, type Lookups } from '../../../domain/features/compile.js';
import type { FeatureRegistry } from '../../../schemas/types.js';
import { deriveOrRefusal, tooLarge } from './derive-or-refusal.js';
import type { RowScanner, ScannedField } from './row-scanner.js';
import { valueCheck, type DeclaredValues } from './value-checks.js';

type DerivedSpec = FeatureRegistry['derived'][number];

/** One part of what makes a usual row's derived values; returns why the row is refused, or null. */
export type Step = () => string | null;

export interface Steps {
  /** what hangs on texts alone, first */
  texts: readonly Step[];
  /** what hangs on a number, too */
  numbers: readonly Step[];
}

interface Source {
  scanner: RowScanner;
  fields: readonly ScannedField[];
  derived: readonly DerivedSpec[];
  lookups: Lookups;
}

const DAY_MS = 86_400_000;

/**
 * The short way to the derived values of usual rows, null where there is none. It computes nothing by itself: it asks the compiled ops once for
 * every text, and once for every currency on every day with an amount of 1, and remembers what they said. That is enough where each
 * derived text hangs on one raw text, and each derived number is a raw amount, converted.
 * @param out where the steps put the derived values
 */
export function compileSteps(source: Source, checks: DeclaredValues, out: Derived): Steps | null {
  const steps = checkSteps(source, checks);
  for (const declared of source.derived) {
    const ofText = textStep(declared, source, out);
    const ofNumber = ofText === null ? convertStep(declared, source, out) : null;
    if (ofText !== null) steps.texts.push(ofText);
    else if (ofNumber !== null) steps.numbers.push(ofNumber);
    else return null;
  }
  return steps;
}

function checkSteps({ scanner, fields }: Source, checks: DeclaredValues): { texts: Step[]; numbers: Step[] } {
  const { numbers, texts } = scanner;
  const steps: { texts: Step[]; numbers: Step[] } = { texts: [], numbers: [] };
  fields.forEach(({ name, type }, slot) => {
    const check = valueCheck(name, checks);
    if (check === null || type === 'time') return;
    if (type === 'number') return steps.numbers.push(() => check(numbers[slot]));
    const known: (string | null)[] = [];
    steps.texts.push(() => {
      const id = texts[slot] ?? 0;
      const before = known[id];
      return before === undefined ? (known[id] = check(scanner.interners[slot]?.textOf(id))) : before;
    });
  });
  return steps;
}

function textStep({ name }: DerivedSpec, { scanner, fields, derived, lookups }: Source, out: Derived): Step | null {
  const chain = textChain(name, derived);
  if (chain === null) return null;
  const slot = fields.findIndex((field) => field.name === chain.raw);
  const computer = compileFeatures({ derived: chain.ops, features: [] }, lookups);
  const known: { refusal: string | null; value: string | number | null }[] = [];
  const { texts } = scanner;
  return () => {
    const id = texts[slot] ?? 0;
    let answer = known[id];
    if (answer === undefined) {
      const said = deriveOrRefusal(computer, { [chain.raw]: scanner.interners[slot]?.textOf(id) });
      answer = typeof said === 'string' ? { refusal: said, value: null } : { refusal: null, value: said[name] ?? null };
      known[id] = answer;
    }
    out[name] = answer.value;
    return answer.refusal;
  };
}

/** The ops from one raw text to a derived text, in order; null where it hangs on anything else. */
function textChain(name: string, derived: readonly DerivedSpec[]): { raw: string; ops: DerivedSpec[] } | null {
  const declared = derived.find((other) => other.name === name);
  if (declared === undefined) return { raw: name, ops: [] };
  const { op } = declared;
  if (op.kind !== 'normalise' && op.kind !== 'canonical') return null;
  const before = textChain(op.input, derived);
  return before === null ? null : { raw: before.raw, ops: [...before.ops, declared] };
}

function convertStep(declared: DerivedSpec, { scanner, fields, lookups }: Source, out: Derived): Step | null {
  const { name, op } = declared;
  if (op.kind !== 'convert') return null;
  const [amount, currency, at] = [op.amount, op.currency, op.at].map((input) =>
    fields.findIndex((field) => field.name === input),
  ) as [number, number, number];
  if (amount < 0 || currency < 0 || at < 0) return null;
  const computer = compileFeatures({ derived: [declared], features: [] }, lookups);
  const { numbers, texts } = scanner;
  interface Rate {
    refusal: string | null;
    /** value of an amount of 1 */
    ofOne: number | null;
  }
  // The ops choose the fixing by the day of the booking, so a day's rates are those of any of its bookings.
  const byDay = new Map<number, Rate[]>();
  let [today, rates]: [number, Rate[]] = [NaN, []];
  return () => {
    const day = Math.floor((numbers[at] ?? 0) / DAY_MS);
    if (day !== today) {
      today = day;
      const known = byDay.get(day);
      if (known === undefined) byDay.set(day, (rates = []));
      else rates = known;
    }
    const id = texts[currency] ?? 0;
    let rate = rates[id];
    if (rate === undefined) {
      const said = deriveOrRefusal(computer, {
        [op.amount]: 1,
        [op.currency]: scanner.interners[currency]?.textOf(id),
        [op.at]: numbers[at],
      });
      rate =
        typeof said === 'string'
          ? { refusal: said, ofOne: null }
          : { refusal: null, ofOne: said[name] as number | null };
      rates[id] = rate;
    }
    if (rate.refusal !== null) return rate.refusal;
    const value = rate.ofOne === null ? null : (numbers[amount] ?? NaN) * rate.ofOne;
    out[name] = value;
    return value === null || Number.isFinite(value) ? null : tooLarge(name);
  };
}
