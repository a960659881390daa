const ISO_TIME = /^\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/;

/**
 * Epoch milliseconds of an RFC 3339 time (offset required), a Date or epoch milliseconds; NaN for anything else, days that no calendar has
 * (30 February) included, which `Date.parse` alone would move on to March.
 */
export function epochMs(value: unknown): number {
  if (typeof value === 'string') {
    if (!ISO_TIME.test(value)) return NaN;
    const day = Number(value.slice(8, 10));
    if (day > 28 && day > daysInMonth(Number(value.slice(0, 4)), Number(value.slice(5, 7)))) return NaN;
    return Date.parse(value);
  }
  if (value instanceof Date) return value.getTime();
  return typeof value === 'number' && Number.isFinite(value) ? value : NaN;
}

function daysInMonth(year: number, month: number): number {
  return new Date(Date.UTC(year, month, 0)).getUTCDate();
}

const DAY_MS = 86_400_000;

/** 0 to 23, in UTC */
export function utcHour(ms: number): number {
  return Math.floor((ms - Math.floor(ms / DAY_MS) * DAY_MS) / 3_600_000);
}

/** 0 is Monday, 6 is Sunday, in UTC */
export function utcWeekday(ms: number): number {
  // Day 0 of the epoch was a Thursday.
  return (((Math.floor(ms / DAY_MS) + 3) % 7) + 7) % 7;
}
