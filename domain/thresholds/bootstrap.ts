import { quantileOfSorted } from '../lookups/quantile.js';
import { countsOf, emptyCells, holdsFrauds, type Cells } from './cells.js';
import type { CostModel } from './choose.js';
import { FIGURE_NAMES, figuresOf, type Figures } from './figures.js';
import { Sfc32 } from './random.js';
import type { ScoredRows } from './rows.js';

export interface BootstrapPolicy {
  rounds: number;
  /** for example 0.95 */
  confidence: number;
  seed: number;
}

/** A figure with its interval. The ends are null where the figure could be computed in no round. */
export interface Estimate {
  value: number | null;
  low: number | null;
  high: number | null;
}
export type Estimates = Record<keyof Figures, Estimate>;

export interface ComparedFigures {
  old: Estimates;
  new: Estimates;
  /** new less old, resampled together: their common part cancels out */
  gain_per_day: Estimate;
}

/** In words, for whoever reads the proposal. */
export function describeMethod({ rounds, confidence, seed }: BootstrapPolicy): string {
  return `percentile bootstrap: ${rounds} resamples of the transactions with replacement (seed ${seed}), thresholds kept fixed, middle ${confidence * 100} % of the results. Frauds that belong together count as single ones, so the intervals are rather too narrow than too wide`;
}

/**
 * Figures of old and new thresholds with percentile bootstrap intervals (Efron and Tibshirani 1993, chapter 13): for everything first, then
 * segment by segment in the rows' order.
 * @param yieldToEventLoop is awaited after each round, so that a long computation does not hold up its process
 */
export async function compareWithIntervals(
  rows: ScoredRows,
  cellOf: Uint32Array,
  observed: Cells,
  cost: CostModel,
  days: number,
  policy: BootstrapPolicy,
  yieldToEventLoop: () => Promise<void>,
): Promise<ComparedFigures[]> {
  const groups = [null, ...rows.segments.keys()];
  const samples = groups.map(() => ({ old: series(), new: series(), gain: [] as number[] }));
  const resample = resampler(rows, cellOf, observed, policy.seed);
  for (let round = 0; round < policy.rounds; round++) {
    const drawn = resample();
    for (const [g, segment] of groups.entries()) {
      const sample = samples[g] as (typeof samples)[number];
      const before = figuresOf(countsOf(drawn, 'old', segment), cost, days);
      const after = figuresOf(countsOf(drawn, 'new', segment), cost, days);
      for (const name of FIGURE_NAMES) {
        keep(sample.old[name], before[name]);
        keep(sample.new[name], after[name]);
      }
      sample.gain.push(after.saved_per_day - before.saved_per_day);
    }
    await yieldToEventLoop();
  }
  return groups.map((segment, g) => {
    const sample = samples[g] as (typeof samples)[number];
    const before = figuresOf(countsOf(observed, 'old', segment), cost, days);
    const after = figuresOf(countsOf(observed, 'new', segment), cost, days);
    return {
      old: estimates(before, sample.old, policy.confidence),
      new: estimates(after, sample.new, policy.confidence),
      gain_per_day: estimate(after.saved_per_day - before.saved_per_day, sample.gain, policy.confidence),
    };
  });
}

const DRAWS_AT_ONCE = 8192;
/** A draw's first bits name one of this many stretches of rows. */
const STRETCHES = 4096;
const STRETCH_SHIFT = 32 - Math.log2(STRETCHES);
const MIXED = -1;

/**
 * Draws as many rows as there are, with replacement, and counts their cells. Rows are laid out by cell first, so that nearly every stretch of
 * them lies in one cell: a small table that stays in the processor's cache answers most draws, where a look at each row drawn would
 * wait for memory.
 */
function resampler(rows: ScoredRows, cellOf: Uint32Array, observed: Cells, seed: number): () => Cells {
  const size = observed.count.length;
  const starts = new Uint32Array(size);
  for (let cell = 1; cell < size; cell++)
    starts[cell] = (starts[cell - 1] as number) + (observed.count[cell - 1] as number);
  const cells = new Uint16Array(rows.count);
  const amounts = new Float64Array(rows.count);
  for (let i = 0; i < rows.count; i++) {
    const cell = cellOf[i] as number;
    const place = starts[cell] as number;
    starts[cell] = place + 1;
    cells[place] = cell;
    amounts[place] = rows.amount[i] as number;
  }
  const scale = rows.count / 2 ** 32;
  const cellOfStretch = Int32Array.from({ length: STRETCHES }, (_, stretch) => {
    const first = cells[Math.floor((stretch * rows.count) / STRETCHES)];
    const last = cells[Math.min(Math.floor(((stretch + 1) * rows.count) / STRETCHES), rows.count - 1)];
    return first === undefined || first !== last || holdsFrauds(first) ? MIXED : first;
  });
  const fraudCell = Uint8Array.from({ length: size }, (_, cell) => (holdsFrauds(cell) ? 1 : 0));
  const random = new Sfc32(seed);
  const draws = new Uint32Array(DRAWS_AT_ONCE);
  return () => {
    const drawn = emptyCells(size);
    const { count, amount } = drawn;
    for (let left = rows.count; left > 0; left -= draws.length) {
      random.fill(draws);
      const now = Math.min(left, draws.length);
      for (let k = 0; k < now; k++) {
        const draw = draws[k] as number;
        const known = cellOfStretch[draw >>> STRETCH_SHIFT] as number;
        if (known !== MIXED) {
          count[known] = (count[known] as number) + 1;
          continue;
        }
        const place = (draw * scale) >>> 0;
        const cell = cells[place] as number;
        count[cell] = (count[cell] as number) + 1;
        if (fraudCell[cell] === 1) amount[cell] = (amount[cell] as number) + (amounts[place] as number);
      }
    }
    return drawn;
  };
}

function series(): Record<keyof Figures, number[]> {
  return Object.fromEntries(FIGURE_NAMES.map((name) => [name, []])) as unknown as Record<keyof Figures, number[]>;
}

function keep(values: number[], value: number | null): void {
  if (value !== null) values.push(value);
}

function estimates(figures: Figures, samples: Record<keyof Figures, number[]>, confidence: number): Estimates {
  return Object.fromEntries(
    FIGURE_NAMES.map((name) => [name, estimate(figures[name], samples[name], confidence)]),
  ) as Estimates;
}

function estimate(value: number | null, sample: number[], confidence: number): Estimate {
  if (sample.length === 0 || value === null) return { value, low: null, high: null };
  const sorted = Float64Array.from(sample).sort();
  const tail = (1 - confidence) / 2;
  return { value, low: quantileOfSorted(sorted, tail), high: quantileOfSorted(sorted, 1 - tail) };
}
