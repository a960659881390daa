const DAY_MS = 86_400_000;
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Whether a text is a day of the calendar, as YYYY-MM-DD. */
export function isDay(text: string): boolean {
  return DAY.test(text) && addDays(text, 0) === text;
}

/** A day moved by a number of days; an empty text for what is no day. */
export function addDays(day: string, days: number): string {
  const ms = Date.parse(`${day}T00:00:00Z`) + days * DAY_MS;
  return Number.isNaN(ms) ? '' : new Date(ms).toISOString().slice(0, 10);
}

/**
 * Why there is no fixing of this day by rule, or null for a day on which there is one. The euro's reference rates are fixed on every day on which
 * TARGET is open; closed are weekends, 1 January, Good Friday, Easter Monday, 1 May, 25 and 26 December (ECB, long-term calendar of TARGET).
 * @param day YYYY-MM-DD
 */
export function closedBecause(day: string): string | null {
  const weekday = new Date(`${day}T00:00:00Z`).getUTCDay();
  if (weekday === 0 || weekday === 6) return 'weekend';
  const fixed = FIXED_HOLIDAYS[day.slice(5)];
  if (fixed !== undefined) return `TARGET holiday, ${fixed}`;
  const easter = easterSunday(Number(day.slice(0, 4)));
  if (day === addDays(easter, -2)) return 'TARGET holiday, Good Friday';
  if (day === addDays(easter, 1)) return 'TARGET holiday, Easter Monday';
  return null;
}

const FIXED_HOLIDAYS: Readonly<Record<string, string>> = {
  '01-01': "New Year's Day",
  '05-01': 'Labour Day',
  '12-25': 'Christmas Day',
  '12-26': 'Boxing Day',
};

/** The days with a fixing from one day to another, both inclusive, oldest first. */
export function businessDays(from: string, to: string): string[] {
  const days: string[] = [];
  for (let day = from; day !== '' && day <= to; day = addDays(day, 1)) if (closedBecause(day) === null) days.push(day);
  return days;
}

/** A day, or yesterday (UTC) where that is earlier: the last day up to it that is over. */
export function lastDayOver(day: string, now: Date): string {
  const yesterday = addDays(now.toISOString().slice(0, 10), -1);
  return day < yesterday ? day : yesterday;
}

/** The last day with a fixing that is not after this one. */
export function lastBusinessDay(day: string): string {
  let last = day;
  while (closedBecause(last) !== null) last = addDays(last, -1);
  return last;
}

/**
 * How old a fixing is at a day: the business days after it, that day included.
 * @param fixingDay of the fixing
 */
export function ageInBusinessDays(fixingDay: string, day: string): number {
  return businessDays(addDays(fixingDay, 1), day).length;
}

/** A long weekend with holidays on both sides; what is longer is told in one line. */
const TOLD_ONE_BY_ONE = 7;

/** The days since the newest fixing on which its rates stand in for ones that do not exist, each with its reason. */
export function carriedForward(newest: string, day: string): string[] {
  const notes: string[] = [];
  if (addDays(newest, TOLD_ONE_BY_ONE) < day)
    return [
      `no fixing since ${newest}: it is carried forward to ${day}, over ${ageInBusinessDays(newest, day)} business days`,
    ];
  for (let at = addDays(newest, 1); at <= day; at = addDays(at, 1)) {
    const why = closedBecause(at) ?? 'a business day: not published yet';
    notes.push(`no fixing on ${at} (${why}): that of ${newest} is carried forward`);
  }
  return notes;
}

/** Easter Sunday of the Gregorian calendar (Meeus, Jones and Butcher). */
function easterSunday(year: number): string {
  const a = year % 19;
  const b = Math.floor(year / 100);
  const c = year % 100;
  const h = (19 * a + b - Math.floor(b / 4) - Math.floor((b - Math.floor((b + 8) / 25) + 1) / 3) + 15) % 30;
  const l = (32 + 2 * (b % 4) + 2 * Math.floor(c / 4) - h - (c % 4)) % 7;
  const m = Math.floor((a + 11 * h + 22 * l) / 451);
  const n = h + l - 7 * m + 114;
  const month = String(Math.floor(n / 31)).padStart(2, '0');
  return `${year}-${month}-${String((n % 31) + 1).padStart(2, '0')}`;
}
