import type { DataProfile, Field, Quantiles } from '../../schemas/types.js';
import type { Derived, Notice } from '../features/compile.js';
import { epochMs } from '../features/time.js';
import type { RequestFields } from '../features/check.js';
import { NumberColumn } from '../lookups/number-column.js';
import { quantileOfSorted } from '../lookups/quantile.js';
import { FingerprintSet } from './fingerprint-set.js';
import { Tally } from './tally.js';

const MAX_DISTINCT = 200;
const MAX_REASONS = 100;
const MAX_EXAMPLES = 20;
const DAY_MS = 86_400_000;
const QUANTILES = {
  min: 0,
  q01: 0.01,
  q05: 0.05,
  q25: 0.25,
  q50: 0.5,
  q75: 0.75,
  q95: 0.95,
  q99: 0.99,
  max: 1,
} as const;

type Split = keyof DataProfile['splits'];

/** One mature row as the snapshot saw it. */
export interface ObservedRow {
  id: string;
  /** the request's fields as stored */
  raw: Record<string, unknown>;
  /** the id's field is left out of `raw`'s content when rows are compared */
  label: 0 | 1;
  labelTimeMs: number;
  eventTimeMs: number;
  split: Split;
}

/** Gathers, row by row, what the data checks look at. Memory: a few bytes a row. */
export class ProfileBuilder {
  readonly #fields: { name: string; observe: (value: unknown) => void; result: () => Field }[];
  readonly #derived: Map<string, { unknown: number; values: Tally | null }>;
  readonly #features: { name: string; values: NumberColumn<Float32Array<ArrayBuffer>> }[];
  readonly #ids = new FingerprintSet();
  readonly #contents = new FingerprintSet();
  readonly #splits: DataProfile['splits'] = {
    train: { rows: 0, positives: 0 },
    validation: { rows: 0, positives: 0 },
    test: { rows: 0, positives: 0 },
  };
  readonly #refusals = new Map<string, number>();
  readonly #examples: DataProfile['refused']['examples'] = [];
  readonly #duplicates: string[] = [];
  readonly #notices = new Map<string, number>();
  #rows = 0;
  #refused = 0;
  #positives = 0;
  #oldestMs = Infinity;
  #newestMs = -Infinity;
  #newestLabelMs = -Infinity;

  constructor(
    private readonly shape: {
      request: RequestFields;
      /** the field that names a row */
      idField: string;
      derived: readonly { name: string; type: 'number' | 'string' }[];
      featureNames: readonly string[];
    },
  ) {
    this.#fields = [...shape.request].map(([name, type]) => ({ name, ...fieldObserver(type) }));
    this.#derived = new Map(
      shape.derived.map(({ name, type }) => [
        name,
        { unknown: 0, values: type === 'string' ? new Tally(MAX_DISTINCT) : null },
      ]),
    );
    this.#features = shape.featureNames.map((name) => ({
      name,
      values: new NumberColumn((length) => new Float32Array(length)),
    }));
  }

  get rows(): number {
    return this.#rows;
  }

  /** Any mature row, before its features are computed. */
  observe({ id, raw, label, labelTimeMs, eventTimeMs, split }: ObservedRow): void {
    this.#rows++;
    this.#positives += label;
    this.#splits[split].rows++;
    this.#splits[split].positives += label;
    this.#oldestMs = Math.min(this.#oldestMs, eventTimeMs);
    this.#newestMs = Math.max(this.#newestMs, eventTimeMs);
    this.#newestLabelMs = Math.max(this.#newestLabelMs, labelTimeMs);
    let content = '';
    for (const { name, observe } of this.#fields) {
      const value = raw[name];
      observe(value);
      if (name !== this.shape.idField) content += `${value instanceof Date ? value.getTime() : String(value)}\u0000`;
    }
    // both are kept, whichever of them is found to be there already
    const known = [this.#ids.add(id), this.#contents.add(content)].includes(false);
    if (known && this.#duplicates.length < MAX_EXAMPLES) this.#duplicates.push(id);
  }

  /** A row that went into the table. */
  accept(derived: Derived, notices: readonly Notice[], buffer: Float32Array, offset: number): void {
    for (const [name, { values }] of this.#derived) {
      const value = derived[name] ?? null;
      if (typeof value === 'string') values?.add(value);
      else if (value === null) this.#unknown(name);
    }
    for (const [index, { values }] of this.#features.entries()) values.push(buffer[offset + index] ?? NaN);
    for (const { path, message } of notices) count(this.#notices, `${path} ${message}`);
  }

  /** A row that the feature registry refused. */
  refuse(id: string, path: string, detail: string): void {
    this.#refused++;
    const reason = `${path} ${detail}`;
    count(this.#refusals, reason);
    if (this.#examples.length < MAX_EXAMPLES) this.#examples.push({ row_id: id || '(no id)', reason });
  }

  #unknown(name: string): void {
    const entry = this.#derived.get(name);
    if (entry !== undefined) entry.unknown++;
  }

  /** @param about.asOf ISO time that staleness is measured from */
  build(about: { asOf: string; fixings: DataProfile['fixings'] }): DataProfile {
    const iso = (ms: number): string | null => (Number.isFinite(ms) ? new Date(ms).toISOString() : null);
    return {
      rows: this.#rows,
      refused: { count: this.#refused, reasons: Object.fromEntries(this.#refusals), examples: this.#examples },
      positives: this.#positives,
      splits: this.#splits,
      fields: Object.fromEntries(this.#fields.map(({ name, result }) => [name, result()])),
      derived: Object.fromEntries(
        [...this.#derived].map(([name, { unknown, values }]) => [name, { unknown, values: values?.counts() ?? null }]),
      ),
      notices: Object.fromEntries(this.#notices),
      duplicates: {
        ids: this.#rows - this.#ids.size,
        contents: this.#rows - this.#contents.size,
        ...(this.#duplicates.length === 0 ? {} : { examples: this.#duplicates }),
      },
      freshness: {
        as_of: about.asOf,
        oldest: iso(this.#oldestMs),
        newest: iso(this.#newestMs),
        newest_label: iso(this.#newestLabelMs),
        staleness_days: this.#rows === 0 ? null : (Date.parse(about.asOf) - this.#newestMs) / DAY_MS,
      },
      fixings: about.fixings,
      features: Object.fromEntries(
        this.#features
          .filter(({ values }) => values.length > 0)
          .map(({ name, values }) => [name, quantilesOf(values.sorted())]),
      ),
    };
  }
}

function quantilesOf(sorted: Float32Array): Quantiles {
  const at = (q: number): number => quantileOfSorted(sorted, q);
  return Object.fromEntries(Object.entries(QUANTILES).map(([name, q]) => [name, at(q)])) as unknown as Quantiles;
}

function fieldObserver(type: 'number' | 'string' | 'time'): { observe: (value: unknown) => void; result: () => Field } {
  let missing = 0;
  let invalid = 0;
  let min = Infinity;
  let max = -Infinity;
  const values = new Tally(MAX_DISTINCT);
  const observe = (value: unknown): void => {
    if (value === null || value === undefined || value === '' || Number.isNaN(value)) missing++;
    else if (type === 'string') {
      if (typeof value === 'string') values?.add(value);
      else invalid++;
    } else {
      const number = type === 'time' ? epochMs(value) : value;
      if (typeof number !== 'number' || !Number.isFinite(number)) invalid++;
      else if (type === 'number') {
        min = Math.min(min, number);
        max = Math.max(max, number);
      }
    }
  };
  const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
  return {
    observe,
    result: () => ({
      missing,
      invalid,
      min: finite(min),
      max: finite(max),
      values: type === 'string' ? values.counts() : null,
    }),
  };
}

/** Counts a message; beyond a hundred different ones the rest share a line, so that the profile stays small. */
function count(counts: Map<string, number>, message: string): void {
  const key = counts.has(message) || counts.size < MAX_REASONS ? message : '(other)';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
