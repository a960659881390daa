import { tailBeyond } from '../statistics/scaled-f.js';
import { seenBefore, type ReferenceCalendar, type Effects, type Stratum } from './blocks.js';

/** Something counted on a day, of so many rows: alerts, frauds. */
export interface CountOfDay {
  /** since 1970 */
  day: number;
  rows: number;
  hits: number;
}

export interface RateDistance {
  /** the share that such days of the week have */
  expected: number;
  /** the window's share over that */
  ratio: number;
  /** the window's number a day over that of such days */
  perDayRatio: number;
  /** of a share and a number that differ as much, where nothing changed */
  p: number;
}

interface Logs {
  share: number;
  perDay: number;
  expectedHits: number;
  expectedPerDay: number;
  rows: number;
  hits: number;
}

/** How often something happens on days of the reference, compared with each other and with a window's days. */
export class CountHistory {
  constructor(
    private readonly calendar: ReferenceCalendar,
    private readonly hitsOf: (place: number) => number,
    private readonly expecting: Stratum,
    private readonly strata: readonly Stratum[],
  ) {}

  /**
   * A share falls when there is more of the rest, and a number when there is less of everything: what has changed shows in both. The lesser of the
   * two differences counts, and none where they differ in direction.
   * @returns null where the reference has no such day of the week, or nothing to count
   */
  distance(days: readonly CountOfDay[]): RateDistance | null {
    const logs = this.#logs(
      days,
      days.map(({ day }) => this.calendar.sameWeekday(this.expecting, day)),
    );
    if (logs === null) return null;
    const [usual, single] = [this.#effects(days.length), this.#effects(1)];
    const p = (of: 'share' | 'perDay'): number =>
      tailBeyond(logs[of] ** 2, seenBefore(usual[of], single[of], logs.expectedHits));
    const disagree = logs.share * logs.perDay <= 0;
    return {
      expected: logs.expectedHits / logs.rows,
      ratio: logs.hits / logs.expectedHits,
      perDayRatio: logs.hits / logs.expectedPerDay,
      p: disagree || usual.share.independent < 2 ? 1 : Math.max(p('share'), p('perDay')),
    };
  }

  #effects(length: number): { share: Effects; perDay: Effects } {
    const { blocks, independent } = this.calendar.blocks(this.strata, length);
    const found = blocks.flatMap(({ days, others }) => {
      const logs = this.#logs(
        days.map((place) => this.#dayAt(place)),
        others,
      );
      return logs === null ? [] : [logs];
    });
    const rows = found.map(({ expectedHits }) => expectedHits);
    const scaled = (of: 'share' | 'perDay') => found.map((one) => one[of] ** 2 * one.expectedHits);
    return {
      share: { scaled: scaled('share'), rows, independent },
      perDay: { scaled: scaled('perDay'), rows, independent },
    };
  }

  #logs(days: readonly Omit<CountOfDay, 'day'>[], others: readonly (readonly number[])[]): Logs | null {
    if (days.length === 0 || others.some((places) => places.length === 0)) return null;
    let [rows, hits, byShare, byDay] = [0, 0, 0, 0];
    days.forEach((day, i) => {
      const same = (others[i] ?? []).map((place) => this.#dayAt(place));
      const sum = same.reduce((all, one) => ({ rows: all.rows + one.rows, hits: all.hits + one.hits }));
      rows += day.rows;
      hits += day.hits;
      byShare += (day.rows * sum.hits) / sum.rows;
      byDay += sum.hits / same.length;
    });
    if (rows === 0 || byShare === 0) return null;
    // Half a hit more on both sides: none at all is a small number, not an infinitely small one.
    const log = (expected: number): number => Math.log((hits + 0.5) / (expected + 0.5));
    return { share: log(byShare), perDay: log(byDay), expectedHits: byShare, expectedPerDay: byDay, rows, hits };
  }

  #dayAt(place: number): { rows: number; hits: number } {
    return { rows: this.calendar.days[place]?.rows ?? 0, hits: this.hitsOf(place) };
  }
}
