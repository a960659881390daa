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
 * them fail the next release. It goes by the tables of the model's folder; a published table may know more.
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
  return {
    accept: (document) => {
      for (const { accept } of counters) accept(document);
    },
    notices: () => counters.flatMap(({ name, line }) => line(spec.data.checks.max_unmapped_fraction[name])),
  };
}

function counterOf(name: string, field: string, computer: ReturnType<typeof compileFeatures>) {
  const nothing = new Float32Array(0);
  const meant = new Map<string, boolean>();
  const unknown = new Map<string, number>();
  let seen = 0;
  let rows = 0;
  const isKnown = (text: string): boolean => {
    const before = meant.get(text);
    if (before !== undefined) return before;
    const known = computer.computeInto({ [field]: text }, nothing, 0).notices.length === 0;
    if (meant.size < REMEMBERED) meant.set(text, known);
    return known;
  };
  return {
    name,
    accept(document: Readonly<Record<string, unknown>>): void {
      const text = document[field];
      if (typeof text !== 'string') return;
      seen += 1;
      if (isKnown(text)) return;
      rows += 1;
      if (unknown.has(text) || unknown.size < REMEMBERED) unknown.set(text, (unknown.get(text) ?? 0) + 1);
    },
    /** @param allowed the most that a release takes, as a fraction; none: as many as there are */
    line(allowed: number | undefined): string[] {
      if (rows === 0) return [];
      const often = [...unknown].sort(([, a], [, b]) => b - a).slice(0, SHOWN);
      const values = often.map(([text, times]) => `${JSON.stringify(shortened(text))} × ${times.toLocaleString('en')}`);
      return [
        `${rows.toLocaleString('en')} of ${seen.toLocaleString('en')} rows have a /${field} that the model does not know (no ${name})${verdictOf(rows / seen, allowed)}: ${values.join(', ')}${unknown.size > SHOWN ? ' …' : ''}`,
      ];
    },
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
