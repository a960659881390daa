import type { DriftColumn, DriftScope } from '../../schemas/types.js';
import { WEEK_DAYS } from './calendar.js';
import { MISSING } from './measure.js';
import type { DriftPolicy } from './types.js';

type Judged = Pick<DriftColumn, 'verdict' | 'why'>;
type Measured = Omit<DriftColumn, 'verdict' | 'why'>;

const SCOPE_TEXT = { window: 'in the window', last_day: 'on its last day' } as const;

/**
 * What a measured column means. Drift is a share of values that the reference does not have, or a difference that is both beyond what the reference's own days and weeks show (adjusted p ≤ alpha) and large enough to matter, in either
 * scope; or an index above its upper limit. With many rows everything is significant, with few everything is large: neither alone is drift.
 */
export function judgeColumn(column: Measured, policy: DriftPolicy): Judged {
  const findings = column.scopes.flatMap((scope) => findingsOf(column, scope, policy));
  const drift = findings.filter(({ verdict }) => verdict === 'drift');
  if (drift.length > 0) return { verdict: 'drift', why: drift.map(({ why }) => why) };
  if (column.n === 0) return { verdict: 'inconclusive', why: [whyNothing(column)] };
  if (findings.length > 0) return { verdict: 'warn', why: findings.map(({ why }) => why) };
  if (column.scopes.every((scope) => scope.psi_alert === null))
    return { verdict: 'inconclusive', why: [whyUnmeasured(column, policy)] };
  return { verdict: 'ok', why: [] };
}

/** A column of a window in which no feature has a value: that tells of the log, not of the world. */
export function blind(column: Measured): Judged {
  return { verdict: 'inconclusive', why: [whyNothing(column)] };
}

function findingsOf(
  column: Measured,
  scope: DriftScope,
  policy: DriftPolicy,
): { verdict: 'warn' | 'drift'; why: string }[] {
  const where = SCOPE_TEXT[scope.scope];
  // A part of a week differs from a part of another one as days do.
  const isWeek = (scope.days ?? 0) >= WEEK_DAYS;
  const minEffect = isWeek ? policy.min_effect : policy.last_day_min_effect;
  const found: { verdict: 'warn' | 'drift'; why: string }[] = [];
  const { effect, p_adjusted, missing_p_adjusted, missing_fraction, psi, psi_warn, psi_alert } = scope;
  const [unseen, unseenLimit] = [scope.unseen ?? null, scope.unseen_alert ?? null];

  if (effect !== null && p_adjusted !== null && p_adjusted <= policy.alpha && effect >= minEffect) {
    const measure = scope.test === 'ks' ? 'KS distance' : 'total variation';
    const names = scope.test === 'ks' ? '' : unseenValues(column, scope.scope);
    found.push({
      verdict: 'drift',
      why: `${measure} ${fixed(effect)} ${where} (from ${minEffect} on it matters; adjusted p ${power(p_adjusted)})${names === '' ? '' : `; the reference does not have ${names}`}`,
    });
  } else if (unseen !== null && unseenLimit !== null && unseen >= unseenLimit) {
    found.push({
      verdict: 'drift',
      why: `${percent(unseen)} ${where} have a value that the reference does not (from ${percent(unseenLimit)} on it matters): ${unseenValues(column, scope.scope)}`,
    });
  }
  const before = column.reference_missing_fraction ?? 0;
  const change = Math.abs((missing_fraction ?? 0) - before);
  if (missing_p_adjusted !== null && missing_p_adjusted <= policy.alpha && change >= policy.min_effect) {
    found.push({
      verdict: 'drift',
      why: `${percent(missing_fraction ?? 0)} missing ${where}, ${percent(before)} before (adjusted p ${power(missing_p_adjusted)})`,
    });
  }
  if (psi !== null && psi_alert !== null && psi >= psi_alert) {
    found.push({ verdict: 'drift', why: `PSI ${fixed(psi)} ${where}, the limit is ${fixed(psi_alert)}` });
  } else if (psi !== null && psi_warn !== null && psi >= psi_warn) {
    found.push({ verdict: 'warn', why: `PSI ${fixed(psi)} ${where}, a warning from ${fixed(psi_warn)} on` });
  }
  return found;
}

/** Categories that the reference never had, the first few by name. */
function unseenValues({ bins }: Measured, of: DriftScope['scope']): string {
  const shares = bins.map((bin) => ({ ...bin, now: (of === 'window' ? bin.current : bin.last_day) ?? 0 }));
  const unseen = shares.filter(({ reference, now, label }) => reference === 0 && now > 0 && label !== MISSING);
  return unseen
    .slice(0, 5)
    .map(({ label, now }) => `${label} ${percent(now)}`)
    .join(', ');
}

function whyNothing(column: Measured): string {
  if (column.kind === 'unknown') return 'the reference does not have it, so there is nothing to compare it with';
  if (column.n > 0) return 'no feature has a value';
  return column.missing > 0 ? 'every value is missing' : 'the window has no rows';
}

function whyUnmeasured(column: Measured, policy: DriftPolicy): string {
  if (column.kind === 'unknown') return 'the reference does not have it, so there is nothing to compare it with';
  if (column.reference_missing_fraction === 1) return 'the reference has no value of it';
  return column.n + column.missing < policy.min_rows
    ? `${column.n + column.missing} rows, of ${policy.min_rows} that a verdict needs`
    : "the reference's days are too few to tell how much it varies";
}

export function fixed(value: number): string {
  return value.toFixed(3);
}

export function percent(value: number): string {
  return `${(value * 100).toFixed(value < 0.1 ? 2 : 1)} %`;
}

/** A probability as people read it: 0.034, 3e-7. */
export function power(p: number): string {
  if (p === 0) return '< 1e-300';
  return p >= 0.001 ? p.toFixed(3) : p.toExponential(0);
}
