import type { RowChunk } from '../columns/row-chunk.js';
import { NO_TEXT } from '../columns/text-column.js';
import type { CategoryStats, FeatureRegistry, FxRates, Op, Stats } from '../../schemas/types.js';
import { compileRates } from '../lookups/rates.js';
import { compileFeatures, type Derived, type Lookups } from './compile.js';
import { lookupOf, ratioToCap, robustZ } from './ops.js';
import { FeatureRefusal } from './refusal.js';
import { utcHour, utcWeekday } from './time.js';

const DAY_MS = 86_400_000;

/** A derived text of each row: as in a `TextColumn`, with the texts decoded. */
export interface DerivedTexts {
  ids: Int32Array;
  texts: string[];
}

/**
 * The features of a chunk of rows, column by column. It computes what `compileFeatures` computes row by row, for rows of which there is nothing to
 * say: a row that is refused, that a null policy has to do with, or that gets a notice is marked, and goes through `compileFeatures` itself.
 */
export interface ColumnComputer {
  /** rows that have to be computed one by one: what the columns hold of them means nothing */
  readonly marked: Uint8Array;
  /** by name of the derived value */
  readonly numbers: ReadonlyMap<string, Float64Array>;
  readonly texts: ReadonlyMap<string, DerivedTexts>;
  /** in the registry's order */
  readonly features: readonly Float32Array<ArrayBuffer>[];
  /** Fills the columns above with those of a chunk. */
  compute(chunk: RowChunk): void;
}

type Declared = FeatureRegistry['derived'][number] | FeatureRegistry['features'][number];
type Step = (chunk: RowChunk) => void;

/** Compiles a registry as `compileFeatures` does, for chunks of up to `capacity` rows. */
export function compileColumns(
  registry: Pick<FeatureRegistry, 'derived' | 'features'>,
  lookups: Lookups,
  capacity: number,
): ColumnComputer {
  const marked = new Uint8Array(capacity);
  const numbers = new Map<string, Float64Array>();
  const texts = new Map<string, DerivedTexts>();
  const columns: Columns = {
    marked,
    numbersOf: (chunk, name) => numbers.get(name) ?? chunk.numbersOf(name),
    textsOf: (chunk, name) => texts.get(name) ?? chunk.textsOf(name),
  };
  const steps: Step[] = [];
  for (const declared of registry.derived) {
    const { name, op } = declared;
    if (op.kind === 'normalise' || op.kind === 'canonical') {
      const out: DerivedTexts = { ids: new Int32Array(capacity), texts: [] };
      steps.push(textStep(columns, op.input, textOfOne(declared, op.input, lookups), out));
      texts.set(name, out);
    } else {
      const out = new Float64Array(capacity);
      steps.push(numberStep(columns, declared, lookups, out));
      numbers.set(name, out);
    }
  }
  const features = registry.features.map((declared) => {
    const out = new Float32Array(capacity);
    steps.push(numberStep(columns, declared, lookups, out));
    steps.push(({ rows }) => {
      for (let row = 0; row < rows; row++) if (!Number.isFinite(out[row])) marked[row] = 1;
    });
    return out;
  });
  return {
    marked,
    numbers,
    texts,
    features,
    compute(chunk) {
      marked.fill(0);
      for (const row of chunk.odd.keys()) marked[row] = 1;
      for (const step of steps) step(chunk);
    },
  };
}

/** What the steps read from, and where they mark rows. */
interface Columns {
  marked: Uint8Array;
  numbersOf(chunk: RowChunk, name: string): Float64Array;
  textsOf(chunk: RowChunk, name: string): TextsById;
}

/** A text by its number, whether as read or derived. */
interface TextsById {
  ids: Int32Array;
  size?: number;
  texts?: readonly string[];
  textOf?(id: number): string;
}

function textsById(column: TextsById): { size: number; textOf: (id: number) => string } {
  const { texts } = column;
  if (texts !== undefined) return { size: texts.length, textOf: (id) => texts[id] ?? '' };
  return { size: column.size ?? 0, textOf: (id) => column.textOf?.(id) ?? '' };
}

/** A derived text of a text: asked once for each different one. */
function textStep(
  { marked, textsOf }: Columns,
  input: string,
  derive: (text: string) => string | null,
  out: DerivedTexts,
): Step {
  return (chunk) => {
    const column = textsOf(chunk, input);
    const { size, textOf } = textsById(column);
    const derived = new Int32Array(size);
    const known = new Map<string, number>();
    for (let id = 0; id < size; id++) {
      const text = derive(textOf(id));
      let number = text === null ? NO_TEXT : known.get(text);
      if (number === undefined) known.set(text ?? '', (number = known.size));
      derived[id] = number;
    }
    out.texts = [...known.keys()];
    for (let row = 0; row < chunk.rows; row++) {
      const id = column.ids[row] ?? NO_TEXT;
      const number = id === NO_TEXT ? NO_TEXT : (derived[id] ?? NO_TEXT);
      out.ids[row] = number;
      if (number === NO_TEXT) marked[row] = 1;
    }
  };
}

function numberStep(columns: Columns, declared: Declared, lookups: Lookups, out: Float64Array | Float32Array): Step {
  const { op } = declared;
  const { marked, numbersOf, textsOf } = columns;
  const ofNumber = (input: string, compute: (value: number) => number): Step => {
    return (chunk) => {
      const values = numbersOf(chunk, input);
      for (let row = 0; row < chunk.rows; row++) mark(marked, row, (out[row] = compute(values[row] ?? NaN)));
    };
  };
  const ofText = (input: string, compute: (text: string) => number): Step => {
    return (chunk) => {
      const column = textsOf(chunk, input);
      const { size, textOf } = textsById(column);
      const computed = new Float64Array(size);
      for (let id = 0; id < size; id++) computed[id] = compute(textOf(id));
      for (let row = 0; row < chunk.rows; row++) mark(marked, row, (out[row] = computed[column.ids[row] ?? -1] ?? NaN));
    };
  };
  const ofGroup = (value: string, group: string, compute: (value: number, stats: Stats) => number): Step => {
    const { overall, categories } = lookupOf<CategoryStats>(op, lookups);
    const byGroup = new Map(Object.entries(categories));
    return (chunk) => {
      const [values, column] = [numbersOf(chunk, value), textsOf(chunk, group)];
      const { size, textOf } = textsById(column);
      const stats = Array.from({ length: size }, (_, id) => byGroup.get(textOf(id)) ?? overall);
      for (let row = 0; row < chunk.rows; row++)
        mark(marked, row, (out[row] = compute(values[row] ?? NaN, stats[column.ids[row] ?? -1] ?? overall)));
    };
  };
  switch (op.kind) {
    case 'value':
      return ofNumber(op.input, (value) => value);
    case 'log1p':
      return ofNumber(op.input, (value) => (value <= -1 ? NaN : Math.log1p(value)));
    case 'hour_of_day':
      return ofNumber(op.at, utcHour);
    case 'day_of_week':
      return ofNumber(op.at, utcWeekday);
    case 'frequency':
      return ofText(op.key, numberOfOne(declared, op.key, lookups));
    case 'index_of':
      return ofText(op.input, numberOfOne(declared, op.input, lookups));
    case 'robust_z':
      return ofGroup(op.value, op.group, robustZ);
    case 'ratio_to_cap':
      return ofGroup(op.value, op.group, ratioToCap);
    case 'convert':
      return convertStep(columns, op, lookups, out);
    default:
      throw new RangeError(`${declared.name}: ${op.kind} gives text`);
  }
}

/** An amount times its currency's rate on the day: a rate is looked up once per currency and day. */
function convertStep(
  { marked, numbersOf, textsOf }: Columns,
  op: Extract<Op, { kind: 'convert' }>,
  lookups: Lookups,
  out: Float64Array | Float32Array,
): Step {
  const { fixingBefore, rateAt } = compileRates(lookupOf<FxRates>(op, lookups));
  return (chunk) => {
    const [amounts, times] = [numbersOf(chunk, op.amount), numbersOf(chunk, op.at)];
    const column = textsOf(chunk, op.currency);
    const { size, textOf } = textsById(column);
    const rates = new Float64Array(size);
    let today = NaN;
    for (let row = 0; row < chunk.rows; row++) {
      const time = times[row] ?? NaN;
      const day = Math.floor(time / DAY_MS);
      if (day !== today) {
        today = day;
        const fixing = fixingBefore(time);
        // A booking before the oldest fixing is refused or gets a notice: neither is for columns.
        for (let id = 0; id < size; id++) rates[id] = fixing < 0 ? NaN : rateAt(fixing, textOf(id));
      }
      mark(marked, row, (out[row] = (amounts[row] ?? NaN) * (rates[column.ids[row] ?? -1] ?? NaN)));
    }
  };
}

function mark(marked: Uint8Array, row: number, value: number): void {
  if (Number.isNaN(value)) marked[row] = 1;
}

/** What the compiled op says of one text; null where there is anything to say besides. */
function textOfOne(declared: FeatureRegistry['derived'][number], input: string, lookups: Lookups) {
  const computer = compileFeatures({ derived: [declared], features: [] }, lookups);
  const nothing = new Float32Array(0);
  return (text: string): string | null => {
    const derived = silently(() => computer.computeInto({ [input]: text }, nothing, 0));
    return (derived?.[declared.name] as string | null | undefined) ?? null;
  };
}

/** As `textOfOne`, of a feature or derived number; NaN where there is anything to say besides. */
function numberOfOne(declared: Declared, input: string, lookups: Lookups) {
  if (!('sources' in declared)) {
    const computer = compileFeatures({ derived: [declared], features: [] }, lookups);
    const nothing = new Float32Array(0);
    return (text: string): number => {
      const derived = silently(() => computer.computeInto({ [input]: text }, nothing, 0));
      return (derived?.[declared.name] as number | null | undefined) ?? NaN;
    };
  }
  const computer = compileFeatures({ derived: [], features: [declared] }, lookups);
  const value = new Float32Array(1);
  return (text: string): number =>
    silently(() => computer.computeInto({ [input]: text }, value, 0)) === null ? NaN : (value[0] ?? NaN);
}

function silently(compute: () => { derived: Derived; notices: readonly unknown[] }): Derived | null {
  try {
    const { derived, notices } = compute();
    return notices.length === 0 ? derived : null;
  } catch (error) {
    if (error instanceof FeatureRefusal) return null;
    throw error;
  }
}
