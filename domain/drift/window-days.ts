import { DAY_MS, HOUR_MS, dayOf } from './calendar.js';
import type { ScopeRows } from './measure.js';
import type { CountOfDay } from './reference/counts-history.js';
import type { DriftWindow } from './types.js';

/** The days of a window that can be compared: whole ones, with rows. */
export interface WindowDays {
  /** since 1970, oldest first */
  days: number[];
  /** the place of a row's day among them; -1 for a row of a day that is left out */
  placeOf: Int32Array;
}

/**
 * Days of 24 hours, counted back from the window's end. The first day of a model is hardly ever a whole one: where rows begin within the window, and
 * later than in the first hour of their day, that day is left out, for an afternoon is not like a day.
 */
export function windowDays({ from, to, bookedAtMs }: Pick<DriftWindow, 'from' | 'to' | 'bookedAtMs'>): WindowDays {
  const end = Date.parse(to);
  const back = (ms: number): number => Math.floor((end - ms - 1) / DAY_MS);
  const oldest = back(Date.parse(from));
  const firstAt = new Map<number, number>();
  for (let row = 0; row < bookedAtMs.length; row++) {
    const at = bookedAtMs[row] ?? NaN;
    const day = back(at);
    firstAt.set(day, Math.min(firstAt.get(day) ?? Infinity, at));
  }
  const present = [...firstAt.keys()].sort((a, b) => b - a);
  const [first] = present;
  const startOf = (day: number): number => end - (day + 1) * DAY_MS;
  const partial = first !== undefined && first < oldest && (firstAt.get(first) ?? 0) - startOf(first) > HOUR_MS;
  const kept = partial ? present.slice(1) : present;
  const places = new Map(kept.map((day, place) => [day, place]));
  return {
    days: kept.map((day) => dayOf(startOf(day) + DAY_MS / 2)),
    placeOf: Int32Array.from(bookedAtMs, (at) => places.get(back(at)) ?? -1),
  };
}

/** The whole window, and its last day, which a sudden change fills while it is only a part of the window. */
export function scopesOf({ days, placeOf }: WindowDays): ScopeRows[] {
  const rowsFrom = (first: number): number[] => {
    const rows: number[] = [];
    placeOf.forEach((place, row) => {
      if (place >= first) rows.push(row);
    });
    return rows;
  };
  const kept = placeOf.reduce((sum, place) => sum + (place === -1 ? 0 : 1), 0);
  const whole: ScopeRows = { scope: 'window', days, rows: kept === placeOf.length ? null : rowsFrom(0), count: kept };
  if (days.length < 2) return [whole];
  const last = rowsFrom(days.length - 1);
  return [whole, { scope: 'last_day', days: days.slice(-1), rows: last, count: last.length }];
}

/** Rows and flagged rows of each day. */
export function countFlags({ days, placeOf }: WindowDays, flags: ArrayLike<number>): CountOfDay[] {
  const counts = days.map((day): CountOfDay => ({ day, rows: 0, hits: 0 }));
  placeOf.forEach((place, row) => {
    const count = counts[place];
    if (count === undefined) return;
    count.rows++;
    if (flags[row] === 1) count.hits++;
  });
  return counts;
}
