import type { Db } from 'mongodb';
import type { Fixing } from '../../domain/lookups/fixings.js';
import { SluiceError } from '../../platform/errors.js';
import type { DataProfile, ModelSpec } from '../../schemas/types.js';
import { storedFixings } from '../../stores/fixings.js';

const DAY_MS = 86_400_000;
/** The fixing before the window's first day may lie a long weekend back; a month leaves no doubt. */
const LEAD_DAYS = 31;

/**
 * Every fixing that a booking between `from` and `asOf` may be converted with, oldest first.
 * @throws SluiceError NoData when there is none
 */
export async function readFixings(
  db: Db,
  data: ModelSpec['data'],
  { from, asOf }: { from: string; asOf: string },
): Promise<Fixing[]> {
  const firstDay = new Date(Date.parse(from) - LEAD_DAYS * DAY_MS).toISOString().slice(0, 10);
  const lastDay = new Date(Date.parse(asOf.slice(0, 10)) - DAY_MS).toISOString().slice(0, 10);
  const fixings = await storedFixings(db, data, firstDay, lastDay);
  if (fixings.length === 0) {
    throw new SluiceError(
      'NoData',
      `${data.fixings_collection} has no fixing between ${firstDay} and ${asOf.slice(0, 10)}. Import the exchange rates: \`sluice data import-fixings FILE\`.`,
    );
  }
  return fixings;
}

/**
 * Training never guesses a rate, so the fixings must begin before the first booking.
 * @throws SluiceError InvalidInput that says how far back to import
 */
export function expectFixingsBefore(fixings: readonly Fixing[], firstBooking: Date): void {
  const oldest = fixings[0]?._id ?? '';
  const day = firstBooking.toISOString().slice(0, 10);
  if (oldest < day) return;
  throw new SluiceError(
    'InvalidInput',
    `the oldest fixing is of ${oldest}, and the first transaction was booked on ${day}. Import exchange rates from before that day.`,
  );
}

/** What the data checks need to know of the fixings: above all the longest time that one of them had to serve. */
export function fixingsProfile(
  fixings: readonly Fixing[],
  { from, to }: { from: string; to: string },
): DataProfile['fixings'] {
  const days = fixings.map(({ _id }) => Date.parse(_id) / DAY_MS);
  const firstDay = Date.parse(from.slice(0, 10)) / DAY_MS;
  const lastDay = Date.parse(to.slice(0, 10)) / DAY_MS;
  let gap = 0;
  for (const [index, day] of days.entries()) {
    // A fixing serves the days after it, up to and including the day of the next one.
    const servesUntil = Math.min(days[index + 1] ?? lastDay, lastDay);
    if (servesUntil >= firstDay) gap = Math.max(gap, servesUntil - Math.max(day, firstDay - LEAD_DAYS));
  }
  return {
    count: fixings.length,
    oldest: fixings[0]?._id ?? null,
    newest: fixings[fixings.length - 1]?._id ?? null,
    largest_gap_days: gap,
  };
}
