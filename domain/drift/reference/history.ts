import { populationStability } from '../statistics/psi.js';
import { tailBeyond, valueBeyond } from '../statistics/scaled-f.js';
import type { ReferenceCalendar } from './blocks.js';
import { seenBefore, type Block, type Effects, type Stratum } from './blocks.js';
import type { CountedColumn, DayCount } from './counted.js';

/** A day of a window and what a column counts on it. */
export interface CountedDay extends DayCount {
  /** since 1970 */
  day: number;
  /** the reference's column through the lookups of the bundle that answered on that day */
  column: CountedColumn;
}

/** How far a window lies from what its days of the week are like, and how probable that is where nothing changed. */
export interface Distance {
  /** largest distance of the distribution functions of a number, total variation of a category; of the values that are there. Null without any */
  effect: number | null;
  p: number | null;
  /** of the share of rows without a value; null where neither side has any */
  missingP: number | null;
  /** rows whose category the reference does not have, or too seldom for a bin of its own; null for a number */
  unseen: UnseenValues | null;
  psi: number;
  /** the index that is exceeded with the given probability where nothing changed */
  psiByChance: number;
}

export interface UnseenValues {
  /** how many, and of the rows with a value which share */
  rows: number;
  share: number;
  /** the largest share that a day of the reference has of them */
  usual: number;
}

interface Shares {
  /** of the rows whose value is there; sums to one */
  bins: Float64Array;
  /** of all rows */
  missing: number;
  /** with a value */
  present: number;
  rows: number;
}

interface Compared {
  effect: number;
  missing: number;
  psi: number;
}

interface BlockEffects {
  effect: Effects;
  missing: Effects;
  psi: Effects;
}

/** The days of one column of the reference, compared with each other and with a window's. */
export class ColumnHistory {
  readonly #kept = new Map<number, BlockEffects>();
  #usualUnseen: number | null = null;

  /**
   * @param expecting the days that a window is compared with
   * @param strata days that are compared with each other, to learn how much days differ
   */
  constructor(
    private readonly calendar: ReferenceCalendar,
    private readonly column: CountedColumn,
    private readonly expecting: Stratum,
    private readonly strata: readonly Stratum[],
    private readonly psi: { bins: number; epsilon: number },
  ) {}

  /**
   * Compares a window's days with the reference's, each with the same days of the week.
   * @param chance probability with which an index may exceed its limit although nothing changed
   * @returns null where the reference has no such day of the week, or too few weeks to tell how they differ
   */
  distance(days: readonly CountedDay[], chance: number): Distance | null {
    const others = days.map(({ day }) => this.calendar.sameWeekday(this.expecting, day));
    if (days.length === 0 || others.some((places) => places.length === 0)) return null;
    const now = sharesOf(days);
    const expected = this.#expected(days, others, (i) => days[i]?.column ?? this.column);
    const { effect, missing, psi } = this.#compare(now, expected);
    const [usual, single] = [this.#effects(days.length), this.#effects(1)];
    if (usual.effect.independent < 2) return null;
    const seen = (of: keyof BlockEffects) => seenBefore(usual[of], single[of], now.rows);
    const nothing = now.present === 0 || expected.present === 0;
    const noMissing = now.missing === 0 && expected.missing === 0;
    return {
      effect: nothing ? null : effect,
      p: nothing ? null : tailBeyond(effect ** 2, seenBefore(usual.effect, single.effect, now.present)),
      missingP: noMissing ? null : tailBeyond(missing ** 2, withDraws(seen('missing'), now, expected)),
      unseen: this.column.kind === 'numeric' ? null : this.#unseen(now),
      psi,
      psiByChance: valueBeyond(chance, seen('psi')),
    };
  }

  #unseen(now: Shares): UnseenValues {
    const share = now.bins.at(-1) ?? 0;
    this.#usualUnseen ??= Math.max(
      0,
      ...this.expecting.map((place) => sharesOf([dayAt(this.column, place)]).bins.at(-1) ?? 0),
    );
    return { rows: Math.round(share * now.present), share, usual: this.#usualUnseen };
  }

  #effects(length: number): BlockEffects {
    const kept = this.#kept.get(length);
    if (kept !== undefined) return kept;
    const { blocks, independent } = this.calendar.blocks(this.strata, length);
    const compared = blocks.flatMap((block) => {
      const days = block.days.map((place) => dayAt(this.column, place));
      const now = sharesOf(days);
      if (now.present === 0) return [];
      const expected = this.#expected(days, block.others, () => this.column);
      return [{ ...this.#compare(now, expected), rows: now.present }];
    });
    const rows = compared.map((one) => one.rows);
    const made = {
      effect: { scaled: compared.map((one) => one.effect ** 2 * one.rows), rows, independent },
      missing: { scaled: compared.map((one) => one.missing ** 2 * one.rows), rows, independent },
      psi: { scaled: compared.map((one) => one.psi * one.rows), rows, independent },
    };
    this.#kept.set(length, made);
    return made;
  }

  /** What such days are like, weighted as the window's days are. */
  #expected(days: readonly DayCount[], others: Block['others'], columnOf: (i: number) => CountedColumn): Shares {
    const width = this.column.counts[0]?.length ?? 0;
    const bins = new Float64Array(width);
    const now = sharesOf(days);
    let [missing, rows] = [0, 0];
    days.forEach((day, i) => {
      const usual = sharesOf((others[i] ?? []).map((place) => dayAt(columnOf(i), place)));
      const own = sharesOf([day]);
      // Where every value is missing, the rows tell how much of each day the window has.
      const weight = now.present === 0 ? own.rows : own.present;
      for (let bin = 0; bin < width; bin++) bins[bin] = (bins[bin] ?? 0) + weight * (usual.bins[bin] ?? 0);
      missing += own.rows * usual.missing;
      rows += own.rows;
    });
    const present = bins.reduce((sum, value) => sum + value, 0);
    return {
      bins: present === 0 ? bins : bins.map((value) => value / present),
      missing: rows === 0 ? 0 : missing / rows,
      present,
      rows,
    };
  }

  #compare(now: Shares, expected: Shares): Compared {
    return {
      effect: this.column.kind === 'numeric' ? furthest(now.bins, expected.bins) : variation(now.bins, expected.bins),
      missing: Math.abs(now.missing - expected.missing),
      psi: this.#index(now, expected),
    };
  }

  /** The population stability index over bins that hold about as much as the policy asks for, and one for missing values. */
  #index(now: Shares, expected: Shares): number {
    const share = this.column.kind === 'numeric' ? 1 / this.psi.bins : 0;
    const [before, after] = [[expected.missing], [now.missing]];
    let [gathered, gatheredNow] = [0, 0];
    expected.bins.forEach((value, bin) => {
      gathered += value * (1 - expected.missing);
      gatheredNow += (now.bins[bin] ?? 0) * (1 - now.missing);
      if (gathered < share * 0.999 && bin < expected.bins.length - 1) return;
      before.push(gathered);
      after.push(gatheredNow);
      [gathered, gatheredNow] = [0, 0];
    });
    return populationStability(before, after, this.psi.epsilon);
  }
}

function dayAt({ counts, missing }: CountedColumn, place: number): DayCount {
  return { bins: Float64Array.from(counts[place] ?? []), missing: missing[place] ?? 0 };
}

/** Where the reference's days hardly ever miss a value, what independent draws would give is the least that chance can do. */
function withDraws(seen: ReturnType<typeof seenBefore>, now: Shares, expected: Shares): ReturnType<typeof seenBefore> {
  const share = (expected.missing * expected.rows + now.missing * now.rows) / (expected.rows + now.rows);
  const draws = (share * (1 - share)) / now.rows;
  return draws > seen.mean ? { ...seen, mean: draws, shape: 0.5 } : seen;
}

function sharesOf(days: readonly DayCount[]): Shares {
  const width = Math.max(0, ...days.map(({ bins }) => bins.length));
  const bins = new Float64Array(width);
  let missing = 0;
  for (const day of days) {
    day.bins.forEach((count, bin) => (bins[bin] = (bins[bin] ?? 0) + count));
    missing += day.missing;
  }
  const present = bins.reduce((sum, count) => sum + count, 0);
  const rows = present + missing;
  return {
    bins: present === 0 ? bins : bins.map((count) => count / present),
    missing: rows === 0 ? 0 : missing / rows,
    present,
    rows,
  };
}

/** The largest distance of two distribution functions at the ends of the bins. */
function furthest(now: Float64Array, expected: Float64Array): number {
  let [a, b, largest] = [0, 0, 0];
  expected.forEach((share, bin) => {
    a += now[bin] ?? 0;
    b += share;
    largest = Math.max(largest, Math.abs(a - b));
  });
  return largest;
}

function variation(now: Float64Array, expected: Float64Array): number {
  return expected.reduce((sum, share, bin) => sum + Math.abs((now[bin] ?? 0) - share), 0) / 2;
}
