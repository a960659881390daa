import { compileFeatures } from '../domain/features/compile.js';
import type { LoadedModel } from '../platform/models.js';

/** values of one field whose meaning is remembered: a field may hold as many as there are rows */
const REMEMBERED = 10_000;
const SHOWN = 3;
const MAX_SHOWN_CHARACTERS = 40;

export interface UnknownValues {
  /** counts what a document's texts mean to the model, if anything */
  accept(document: Readonly<Record<string, unknown>>): void;
  /** a line for each derived value that was unknown in some rows */
  notices(): string[];
}

/**
 * Counts imported texts that mean nothing to the model: an operation type that no synonym knows, an empty merchant. Such rows are valid, and too many of
 * them fail the next release, as does a value that the spec does not accept. It goes by the tables of the model's folder; a published table may know more.
 */
export function unknownValues({
  registry,
  staticLookups,
  spec,
}: Pick<LoadedModel, 'registry' | 'staticLookups' | 'spec'>): UnknownValues {
  const lookups = Object.fromEntries(Object.entries(staticLookups).map(([name, { document }]) => [name, document]));
  const counters = registry.derived.flatMap((declared) => {
    const { op, null_policy } = declared;
    if (null_policy.on_null === 'refuse') return [];
    if (op.kind !== 'normalise' && (op.kind !== 'canonical' || !Object.hasOwn(lookups, op.lookup))) return [];
    return [counterOf(declared.name, op.input, compileFeatures({ derived: [declared], features: [] }, lookups))];
  });
  const { allowed_values, max_unmapped_fraction } = spec.data.checks;
  const accepted = Object.entries(allowed_values).map(([field, values]) => ({ field, values, tally: tallyOf(field) }));
  return {
    accept: (document) => {
      for (const { accept } of counters) accept(document);
      for (const { values, tally } of accepted) tally.see(document, (text) => values.includes(text));
    },
    notices: () => [
      ...counters.flatMap(({ name, line }) => line(max_unmapped_fraction[name])),
      ...accepted.flatMap(({ values, tally }) =>
        tally.line(() => `that a release does not accept (it accepts ${values.join(', ')})`),
      ),
    ],
  };
}

/** Counts the texts of one field that are not good. */
function tallyOf(field: string) {
  const found = new Map<string, number>();
  let seen = 0;
  let rows = 0;
  return {
    see(document: Readonly<Record<string, unknown>>, isGood: (text: string) => boolean): void {
      const text = document[field];
      if (typeof text !== 'string') return;
      seen += 1;
      if (isGood(text)) return;
      rows += 1;
      if (found.has(text) || found.size < REMEMBERED) found.set(text, (found.get(text) ?? 0) + 1);
    },
    /** @param what is wrong with them, of the share of rows that have one */
    line(what: (share: number) => string): string[] {
      if (rows === 0) return [];
      const often = [...found].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
      const values = often.map(([text, times]) => `${JSON.stringify(shortened(text))} × ${times.toLocaleString('en')}`);
      return [
        `${rows.toLocaleString('en')} of ${seen.toLocaleString('en')} rows have a /${field} ${what(rows / seen)}: ${values.join(', ')}${found.size > SHOWN ? ' …' : ''}`,
      ];
    },
  };
}

function counterOf(name: string, field: string, computer: ReturnType<typeof compileFeatures>) {
  const nothing = new Float32Array(0);
  const meant = new Map<string, boolean>();
  const tally = tallyOf(field);
  const isKnown = (text: string): boolean => {
    const before = meant.get(text);
    if (before !== undefined) return before;
    const known = computer.computeInto({ [field]: text }, nothing, 0).notices.length === 0;
    if (meant.size < REMEMBERED) meant.set(text, known);
    return known;
  };
  return {
    name,
    accept: (document: Readonly<Record<string, unknown>>): void => tally.see(document, isKnown),
    /** @param allowed the most that a release takes, as a fraction; none: as many as there are */
    line: (allowed: number | undefined): string[] =>
      tally.line((share) => `that the model does not know (no ${name})${verdictOf(share, allowed)}`),
  };
}

function verdictOf(fraction: number, allowed: number | undefined): string {
  if (allowed === undefined) return '';
  const limit = `${Number((100 * allowed).toPrecision(4))} %`;
  return fraction > allowed ? `, more than a release takes (${limit})` : `; a release takes ${limit}`;
}

function shortened(text: string): string {
  return text.length > MAX_SHOWN_CHARACTERS ? `${text.slice(0, MAX_SHOWN_CHARACTERS)}…` : text;
}
