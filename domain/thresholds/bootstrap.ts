import { quantileOfSorted } from '../lookups/quantile.js';
import { countsOf, emptyCells, holdsFrauds, type Cells } from './cells.js';
import type { CostModel } from './choose.js';
import { FIGURE_NAMES, figuresOf, type Figures } from './figures.js';
import { sfc32 } from './random.js';
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
 * @param breathe is awaited after each round, so that a long computation does not hold up its process
 */
export async function compareWithIntervals(
  rows: ScoredRows,
  cellOf: Uint32Array,
  observed: Cells,
  cost: CostModel,
  days: number,
  policy: BootstrapPolicy,
  breathe: () => Promise<void>,
): Promise<ComparedFigures[]> {
  const groups = [null, ...rows.segments.keys()];
  const samples = groups.map(() => ({ old: series(), new: series(), gain: [] as number[] }));
  const random = sfc32(policy.seed);
  const size = observed.count.length;
  const fraudCell = Uint8Array.from({ length: size }, (_, cell) => (holdsFrauds(cell) ? 1 : 0));
  const scale = rows.count / 2 ** 32;
  for (let round = 0; round < policy.rounds; round++) {
    const drawn = emptyCells(size);
    for (let k = 0; k < rows.count; k++) {
      const i = Math.floor(random() * scale);
      const cell = cellOf[i] as number;
      drawn.count[cell] = (drawn.count[cell] as number) + 1;
      if (fraudCell[cell] === 1) drawn.amount[cell] = (drawn.amount[cell] as number) + (rows.amount[i] as number);
    }
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
    await breathe();
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
