const DAY_MS = 24 * 3600 * 1000;

/** A scheduled run without a usable time. Its name is its failure type. */
export class ScheduleTimeError extends Error {
  override readonly name = 'InvalidInput';
}

/**
 * The instant at which the windows of a scheduled run end. It comes from the time the run was scheduled for, never from the clock: a run
 * that is late, caught up or backfilled means the same day.
 * @param scheduledAt the nominal time, before jitter; ISO
 * @param offsetDays added to it, for data that ends in the past (the demo's ends in June 2025); whole days, may be negative
 * @param precision `day`: midnight UTC of that day; `minute`: as scheduled, without seconds
 * @throws ScheduleTimeError when the time or the offset is none
 */
export function scheduledAsOf(scheduledAt: string, offsetDays: number, precision: 'day' | 'minute'): string {
  const scheduled = Date.parse(scheduledAt);
  if (Number.isNaN(scheduled)) throw new ScheduleTimeError(`${JSON.stringify(scheduledAt)} is not a time`);
  if (!Number.isInteger(offsetDays)) throw new ScheduleTimeError(`an offset of ${offsetDays} days is not whole`);
  const unit = precision === 'day' ? DAY_MS : 60_000;
  const shifted = scheduled + offsetDays * DAY_MS;
  return new Date(Math.floor(shifted / unit) * unit).toISOString();
}

/** An instant as a person types it after `--as-of`: midnight UTC is its day. @param asOf ISO */
export function typedAsOf(asOf: string): string {
  return asOf.replace(/T00:00:00(\.000)?Z$/, '');
}
