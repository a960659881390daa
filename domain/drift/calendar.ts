export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
export const WEEK_DAYS = 7;

/** Days since 1970-01-01 (UTC). */
export function dayOf(ms: number): number {
  return Math.floor(ms / DAY_MS);
}

/** A whole number from 0 to 6 that is the same for the same day of the week. */
export function weekdayOf(day: number): number {
  return ((day % WEEK_DAYS) + WEEK_DAYS) % WEEK_DAYS;
}
