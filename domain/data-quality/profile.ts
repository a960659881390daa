import type { DataProfile, Quantiles } from '../../schemas/types.js';
import type { RowChunk } from '../columns/row-chunk.js';
import { NO_TEXT } from '../columns/text-column.js';
import type { Derived, Notice } from '../features/compile.js';
import type { ColumnComputer } from '../features/compile-columns.js';
import type { RequestFields } from '../features/check.js';
import { FieldProfile } from './field-profile.js';
import { FingerprintSet, fingerprintOf, fingerprintsOf } from './fingerprint-set.js';
import { RepeatedContents } from './repeated-contents.js';
import { Tally } from './tally.js';

const MAX_DISTINCT = 200;
const MAX_REASONS = 100;
const MAX_EXAMPLES = 20;
const DAY_MS = 86_400_000;
/** of each feature */
export const PROFILE_QUANTILES = {
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
}

/** What of a chunk's rows is not a column of the request. */
export interface ObservedColumns {
  label: Float64Array;
  labelTime: Float64Array;
  eventTime: Float64Array;
}

/** Gathers what the data checks look at, from rows in the order of their event time. Memory: some 20 bytes a row, for its id. */
export class ProfileBuilder {
  readonly #fields: FieldProfile[];
  readonly #derived: Map<string, { unknown: number; values: Tally | null }>;
  readonly #ids = new FingerprintSet();
  readonly #contents: RepeatedContents;
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
    },
  ) {
    this.#fields = [...shape.request].map(([name, type]) => new FieldProfile(name, type));
    this.#contents = new RepeatedContents([...shape.request.keys()].filter((name) => name !== shape.idField));
    this.#derived = new Map(
      shape.derived.map(({ name, type }) => [
        name,
        { unknown: 0, values: type === 'string' ? new Tally(MAX_DISTINCT) : null },
      ]),
    );
  }

  get rows(): number {
    return this.#rows;
  }

  /** Any mature row, before its features are computed. */
  observe(row: ObservedRow): void {
    this.#observe(row, this.#contents.add(row.eventTimeMs, row.raw));
  }

  /** As `observe` for every row of a chunk. */
  observeChunk(chunk: RowChunk, { label, labelTime, eventTime }: ObservedColumns): void {
    for (const field of this.#fields) field.observeColumn(chunk);
    const ids = chunk.textsOf(this.shape.idField);
    const fingerprints = fingerprintsOf(ids);
    this.#contents.open(chunk);
    for (let row = 0; row < chunk.rows; row++) {
      const labelOfRow = label[row] === 1 ? 1 : 0;
      const labelTimeMs = labelTime[row] ?? NaN;
      const eventTimeMs = eventTime[row] ?? NaN;
      const id = ids.ids[row] ?? NO_TEXT;
      const odd = chunk.odd.size === 0 ? undefined : chunk.odd.get(row);
      if (odd !== undefined) {
        const text = id === NO_TEXT ? '' : ids.textOf(id);
        const raw = odd.document;
        // Odd rows may say the same as usual ones, when only their ids are odd.
        const repeats = this.#contents.holds(chunk, row)
          ? this.#contents.addRow(eventTimeMs, row)
          : this.#contents.add(eventTimeMs, raw);
        this.#observe({ id: text, raw, label: labelOfRow, labelTimeMs, eventTimeMs }, repeats);
        continue;
      }
      this.#count(labelOfRow, labelTimeMs, eventTimeMs);
      const isNew = this.#ids.addFingerprint(fingerprints.high[id] ?? 0, fingerprints.low[id] ?? 0);
      const repeats = this.#contents.addRow(eventTimeMs, row);
      if (!isNew || repeats) this.#duplicate(ids.textOf(id));
    }
  }

  /** Which part of the data a row is in, refused or not: known only when all rows are. */
  observeSplit(split: Split, label: number | undefined): void {
    this.#splits[split].rows++;
    if (label === 1) this.#splits[split].positives++;
  }

  /** A row that went into the table. */
  accept(derived: Derived, notices: readonly Notice[]): void {
    for (const [name, { values }] of this.#derived) {
      const value = derived[name] ?? null;
      if (typeof value === 'string') values?.add(value);
      else if (value === null) this.#unknown(name);
    }
    for (const { path, message } of notices) count(this.#notices, `${path} ${message}`);
  }

  /** As `accept` for every row that was computed in columns: these have all derived values, and no notices. */
  acceptColumns({ marked, texts }: ColumnComputer, rows: number): void {
    for (const [name, { values }] of this.#derived) {
      const column = texts.get(name);
      if (values === null || column === undefined) continue;
      const counts = new Uint32Array(column.texts.length);
      for (let row = 0; row < rows; row++) {
        const id = column.ids[row] ?? NO_TEXT;
        if (marked[row] === 0) counts[id] = (counts[id] ?? 0) + 1;
      }
      for (const [id, text] of column.texts.entries()) if (counts[id] !== 0) values.add(text, counts[id]);
    }
  }

  /** A row that the feature registry refused. */
  refuse(id: string, path: string, detail: string): void {
    this.#refused++;
    const reason = `${path} ${detail}`;
    count(this.#refusals, reason);
    if (this.#examples.length < MAX_EXAMPLES) this.#examples.push({ row_id: id || '(no id)', reason });
  }

  #observe({ id, raw, label, labelTimeMs, eventTimeMs }: ObservedRow, repeats: boolean): void {
    this.#count(label, labelTimeMs, eventTimeMs);
    for (const field of this.#fields) field.observe(raw[field.name]);
    const { high, low } = fingerprintOf(id);
    const isNew = this.#ids.addFingerprint(high, low);
    if (!isNew || repeats) this.#duplicate(id);
  }

  #count(label: 0 | 1, labelTimeMs: number, eventTimeMs: number): void {
    this.#rows++;
    this.#positives += label;
    if (eventTimeMs < this.#oldestMs) this.#oldestMs = eventTimeMs;
    if (eventTimeMs > this.#newestMs) this.#newestMs = eventTimeMs;
    if (labelTimeMs > this.#newestLabelMs) this.#newestLabelMs = labelTimeMs;
  }

  #duplicate(id: string): void {
    if (this.#duplicates.length < MAX_EXAMPLES) this.#duplicates.push(id);
  }

  #unknown(name: string): void {
    const entry = this.#derived.get(name);
    if (entry !== undefined) entry.unknown++;
  }

  /**
   * @param about.asOf ISO time that staleness is measured from
   * @param about.features the quantiles (`PROFILE_QUANTILES`) of each feature over the rows that went into the table
   */
  build(about: { asOf: string; fixings: DataProfile['fixings']; features: Record<string, Quantiles> }): DataProfile {
    const iso = (ms: number): string | null => (Number.isFinite(ms) ? new Date(ms).toISOString() : null);
    return {
      rows: this.#rows,
      refused: { count: this.#refused, reasons: Object.fromEntries(this.#refusals), examples: this.#examples },
      positives: this.#positives,
      splits: this.#splits,
      fields: Object.fromEntries(this.#fields.map((field) => [field.name, field.result()])),
      derived: Object.fromEntries(
        [...this.#derived].map(([name, { unknown, values }]) => [name, { unknown, values: values?.counts() ?? null }]),
      ),
      notices: Object.fromEntries(this.#notices),
      duplicates: {
        ids: this.#rows - this.#ids.size,
        contents: this.#contents.repeated,
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
      features: about.features,
    };
  }
}

/** Counts a message; beyond a hundred different ones the rest share a line, so that the profile stays small. */
function count(counts: Map<string, number>, message: string): void {
  const key = counts.has(message) || counts.size < MAX_REASONS ? message : '(other)';
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
