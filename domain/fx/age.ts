const DAY_MS = 86_400_000;

/** Whole days from a fixing's day (its midnight UTC) to a time. */
export function ageDays(fixingDate: string, nowMs: number): number {
  return Math.floor((nowMs - Date.parse(`${fixingDate}T00:00:00Z`)) / DAY_MS);
}
