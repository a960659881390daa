const DAY_MS = 86_400_000;

/** One day's verdict as the rule sees it. */
export interface JudgedDay {
  /** ISO */
  asOf: string;
  verdict: 'none' | 'warn' | 'drift' | 'inconclusive';
}

/**
 * How many of the last `of` calendar days (UTC), the one of `asOf` counted, had drift. A day that was judged several times counts once; a day
 * without a verdict counts as none: no data is not evidence.
 */
export function daysWithDrift(days: readonly JudgedDay[], asOf: string, of: number): number {
  const last = dayNumber(asOf);
  const drifted = days
    .filter(({ verdict }) => verdict === 'drift')
    .map((day) => dayNumber(day.asOf))
    .filter((day) => day <= last && day > last - of);
  return new Set(drifted).size;
}

export type DriftAction = 'none' | 'alert' | 'retrain';

/**
 * What a day asks for: a notification of drift, of too little data, and of data that has stopped coming; a retraining only for drift today that
 * has lasted (k of n days) and that presses (`pressuresOf`).
 */
export function actionFor(
  verdict: JudgedDay['verdict'],
  observed: { daysWithDrift: number; pressures: readonly string[]; isStale: boolean },
  rule: { days: number },
): DriftAction {
  if (verdict === 'none' || verdict === 'warn') return observed.isStale ? 'alert' : 'none';
  if (verdict === 'inconclusive') return 'alert';
  const sustained = observed.daysWithDrift >= rule.days;
  return sustained && observed.pressures.length > 0 ? 'retrain' : 'alert';
}

/** When the next retraining may be asked for, after one as of `asOf`; ISO. That instant is outside the cool-down. */
export function coolDownEnd(asOf: string, cooldownDays: number): string {
  return new Date(Date.parse(asOf) + cooldownDays * DAY_MS).toISOString();
}

/** Whether `asOf` lies in the cool-down of a retraining as of `earlier`. A day before that one does too: it is not newer evidence. */
export function inCoolDown(asOf: string, earlier: string, cooldownDays: number): boolean {
  return Date.parse(asOf) < Date.parse(coolDownEnd(earlier, cooldownDays));
}

function dayNumber(iso: string): number {
  return Math.floor(Date.parse(iso) / DAY_MS);
}
