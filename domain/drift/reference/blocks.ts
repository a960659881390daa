import { WEEK_DAYS, dayOf, weekdayOf } from '../calendar.js';
import type { SeenBefore } from '../statistics/scaled-f.js';
import type { ReferenceDay } from './counted.js';

/** Fewer independent blocks say too little of how much blocks differ: shorter ones, which differ more, stand in for them. */
const MIN_BLOCKS = 3;

/** Consecutive days of the reference. */
export interface Block {
  /** places of its days among the reference's days */
  days: number[];
  /** for each of them the places of the same days of other weeks, which it can be compared with */
  others: number[][];
}

/** Days that can be compared with each other: what the model was fitted on and what it was not are two worlds for its scores. */
export type Stratum = readonly number[];

/** The reference's days by their places. */
export class ReferenceCalendar {
  readonly #numbers: number[];
  readonly all: Stratum;
  readonly heldOut: Stratum;
  readonly fitted: Stratum;

  constructor(readonly days: readonly ReferenceDay[]) {
    this.#numbers = days.map(({ day }) => dayOf(Date.parse(day)));
    this.all = days.map((_, place) => place);
    this.heldOut = this.all.filter((place) => days[place]?.held_out === true);
    this.fitted = this.all.filter((place) => days[place]?.held_out === false);
  }

  /** The stratum's days of the week that a day (since 1970) is of. */
  sameWeekday(stratum: Stratum, day: number): number[] {
    return stratum.filter((place) => weekdayOf(this.#numbers[place] ?? NaN) === weekdayOf(day));
  }

  /**
   * Every run of so many consecutive days, each day with the same days of the stratum's other weeks, the run itself left out: what a window of that
   * length looks like when nothing has changed. Runs overlap; `independent` is how many would fit side by side.
   */
  blocks(strata: readonly Stratum[], length: number): { blocks: Block[]; independent: number; length: number } {
    const blocks = strata.flatMap((stratum) => this.#runs(stratum, length));
    const independent = strata.reduce((sum, stratum) => sum + Math.floor(stratum.length / length), 0);
    if (length > 1 && (independent < MIN_BLOCKS || blocks.length === 0)) return this.blocks(strata, length - 1);
    return { blocks, independent, length };
  }

  #runs(stratum: Stratum, length: number): Block[] {
    return stratum.flatMap((_, start) => {
      const days = stratum.slice(start, start + length);
      const [first = NaN, last = NaN] = [days[0], days.at(-1)].map((place) => this.#numbers[place ?? -1]);
      if (days.length < length || last - first !== length - 1) return [];
      const others = days.map((place) =>
        this.sameWeekday(stratum, this.#numbers[place] ?? NaN).filter((other) => !days.includes(other)),
      );
      return others.some((places) => places.length === 0) ? [] : [{ days, others }];
    });
  }

  get weeks(): number {
    return this.days.length / WEEK_DAYS;
  }
}

/** How an effect varied over blocks of the reference, each with the rows that it is of. */
export interface Effects {
  /** squared, times rows */
  scaled: number[];
  rows: number[];
  independent: number;
}

/**
 * What squared effects of so many rows are like when nothing has changed. Rows of one day are alike, so more rows than the reference's blocks have
 * do not make an effect smaller; fewer do make it larger, as independent draws would.
 * @param shapeOf blocks that tell how the effect scatters about its mean: the shortest ones, of which there are most
 */
export function seenBefore(effects: Effects, shapeOf: Effects, rows: number): SeenBefore {
  const usual = meanOf(effects.rows);
  return {
    mean: meanOf(effects.scaled) / Math.max(1, Math.min(rows, usual)),
    shape: shapeFrom(shapeOf.scaled),
    values: effects.independent,
  };
}

/** Of a gamma with the same mean and variance. A squared normal has ½, the least there is here. */
function shapeFrom(values: readonly number[]): number {
  const mean = meanOf(values);
  const variance = meanOf(values.map((value) => (value - mean) ** 2));
  return variance === 0 ? 1 : Math.min(20, Math.max(0.5, mean ** 2 / variance));
}

function meanOf(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}
