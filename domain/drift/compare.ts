import type { DriftColumn, DriftReport } from '../../schemas/types.js';
import { HOUR_MS } from './calendar.js';
import { comparedColumns } from './compared-columns.js';
import { blind, judgeColumn } from './judge.js';
import { judgeKnownFrauds, measureKnownFrauds } from './known-frauds.js';
import { measureColumn, QUANTILE_PROBABILITIES } from './measure.js';
import { comparePerformance } from './performance.js';
import { rankStability } from './rank-stability.js';
import { judgeRate, measureRate } from './rates.js';
import { ReferenceCalendar } from './reference/blocks.js';
import { CountHistory } from './reference/counts-history.js';
import { benjaminiHochberg } from './statistics/false-discovery.js';
import type { DriftPolicy, DriftReference, DriftWindow } from './types.js';
import { countFlags, scopesOf, windowDays } from './window-days.js';

type Measured = Omit<DriftColumn, 'verdict' | 'why'>;

/**
 * Compares what was scored in a window with the training data, each day with the same days of the week. Its `action` is that of this day alone (an
 * alert for drift, else none); whether drift has lasted, and asks for more, is known only from the days before (`withAction`).
 * @param now the time that the window's freshness is judged at; ISO
 */
export function compareWithReference(
  reference: DriftReference,
  window: DriftWindow,
  policy: DriftPolicy,
  now: string,
): DriftReport {
  const { profile, metrics, days } = reference;
  const calendar = days === null ? null : new ReferenceCalendar(days.days);
  const whole = windowDays(window);
  const scopes = scopesOf(whole);
  const rows = window.bookedAtMs.length;
  const columns = comparedColumns(reference, calendar, window, whole, policy);
  // Every index is one more chance to exceed a limit.
  const chance = policy.alpha / (columns.length * scopes.length);
  const measured = columns.map((column) => measureColumn(column, scopes, policy, chance));

  const countsOf = (of: 'alerts' | 'frauds'): CountHistory | null => {
    if (calendar === null) return null;
    const hits = (place: number): number => calendar.days[place]?.[of] ?? 0;
    return of === 'frauds'
      ? new CountHistory(calendar, hits, calendar.all, [calendar.all])
      : new CountHistory(calendar, hits, calendar.heldOut, [calendar.heldOut, calendar.fitted]);
  };
  const alertRate = measureRate(countFlags(whole, window.alerts), countsOf('alerts'), profile.score.alert_rate);
  const { matured } = window;
  const labelled = matured === null ? [] : countFlags(windowDays(matured), matured.labels);
  const target = measureRate(labelled, countsOf('frauds'), profile.target.rate);
  const knownFrauds = measureKnownFrauds(window, days, calendar);
  // What comes in, what goes out and what becomes known are three questions, each with an error rate of its own.
  adjustTogether(measured.slice(0, -1), []);
  adjustTogether(measured.slice(-1), [alertRate]);
  adjustTogether([], [target, ...knownFrauds]);

  const isBlind = profile.features.every((_, i) => measured[i]?.n === 0);
  const judged = measured.map((column) => ({ ...column, ...(isBlind ? blind(column) : judgeColumn(column, policy)) }));
  const prediction = judged.pop() as DriftColumn;
  const known = new Set(profile.features.map(({ name }) => name));
  const features = [
    ...judged,
    ...Object.keys(window.features).flatMap((name) => (known.has(name) ? [] : [unknown(name)])),
  ];
  const factor = policy.retraining.max_alert_rate_ratio;
  const parts = {
    features,
    prediction,
    target: { ...target, ...judgeRate(target, factor, policy) },
    alert_rate: { ...alertRate, ...judgeRate(alertRate, factor, policy) },
    known_frauds: judgeKnownFrauds(knownFrauds, policy),
    rank_stability: rankStability(profile.segments, window, policy),
    freshness: freshnessOf(window, now, policy),
    performance: comparePerformance(matured, metrics, calendar, policy),
  };
  const { verdict, why } = overall(parts, { rows, whole: scopes[0]?.count ?? 0 }, days !== null, policy);
  const named = (wanted: DriftColumn['verdict']): string[] =>
    features.filter((column) => column.verdict === wanted).map(({ name }) => name);
  return {
    timestamp: now,
    model: reference.model,
    model_version: reference.modelVersion,
    bundle_version: reference.bundleVersion,
    reference: { as_of: profile.as_of, rows: profile.rows },
    window: { from: window.from, to: window.to, rows, last_day_rows: scopes.at(-1)?.count ?? rows },
    verdict,
    why,
    features_with_drift: named('drift'),
    features_with_warning: named('warn'),
    features_inconclusive: named('inconclusive'),
    p_values: Object.fromEntries(features.map((column) => [column.name, smallestP(column)])),
    psi: Object.fromEntries(features.map((column) => [column.name, column.scopes[0]?.psi ?? null])),
    action: verdict === 'drift' ? 'alert' : 'none',
    action_why: verdict === 'drift' ? 'drift on this day' : 'no drift on this day',
    quantile_probabilities: QUANTILE_PROBABILITIES,
    ...parts,
  };
}

/** The report with what the rule over the last days asks for, and why. */
export function withAction(report: DriftReport, action: DriftReport['action'], why: string): DriftReport {
  return { ...report, action, action_why: why };
}

function unknown(name: string): DriftColumn {
  return {
    name,
    kind: 'unknown',
    verdict: 'inconclusive',
    why: ['the reference does not have it, so there is nothing to compare it with'],
    n: 0,
    missing: 0,
    missing_fraction: null,
    reference_missing_fraction: null,
    quantiles: null,
    reference_quantiles: null,
    bins: [],
    scopes: [],
  };
}

/** False-discovery control over the tests of a question; sets the adjusted values in place. */
function adjustTogether(
  columns: readonly Measured[],
  rates: readonly { p: number | null; p_adjusted: number | null }[],
): void {
  const scopes = columns.flatMap((column) => column.scopes);
  const tests = [
    ...scopes.map((scope) => ({ p: scope.p, set: (p: number | null) => (scope.p_adjusted = p) })),
    ...scopes.map((scope) => ({ p: scope.missing_p, set: (p: number | null) => (scope.missing_p_adjusted = p) })),
    ...rates.map((rate) => ({ p: rate.p, set: (p: number | null) => (rate.p_adjusted = p) })),
  ];
  benjaminiHochberg(tests.map(({ p }) => p)).forEach((p, i) => tests[i]?.set(p));
}

function freshnessOf({ bookedAtMs }: DriftWindow, now: string, policy: DriftPolicy): DriftReport['freshness'] {
  let newest = -Infinity;
  for (let row = 0; row < bookedAtMs.length; row++) newest = Math.max(newest, bookedAtMs[row] ?? -Infinity);
  if (newest === -Infinity) return { verdict: 'inconclusive', why: ['no rows'], newest: null, age_hours: null };
  const age = (Date.parse(now) - newest) / HOUR_MS;
  const isOld = age > policy.max_staleness_hours;
  return {
    verdict: isOld ? 'warn' : 'ok',
    why: isOld
      ? [`the newest row is ${age.toFixed(0)} hours old, a warning from ${policy.max_staleness_hours} on`]
      : [],
    newest: new Date(newest).toISOString(),
    age_hours: age,
  };
}

/** What is left to say of a bundle whose training snapshot is gone. */
const NO_DAYS =
  'reference: the training snapshot is gone, so nobody can say how much usual days differ: features, score, rates and known frauds are measured and not judged. Release again: `sluice release start`';

type Parts = Pick<
  DriftReport,
  'features' | 'prediction' | 'target' | 'alert_rate' | 'known_frauds' | 'rank_stability' | 'freshness' | 'performance'
>;

/**
 * One verdict for the day. Too few rows, or no value in any feature, give none: they are neither drift nor a pass. A feature that cannot be
 * compared because the reference lacks it is a warning, for nobody watches it.
 */
function overall(
  parts: Required<Parts>,
  { rows, whole }: { rows: number; whole: number },
  hasDays: boolean,
  policy: DriftPolicy,
): Pick<DriftReport, 'verdict' | 'why'> {
  const named = [
    ...parts.features,
    parts.prediction,
    { name: 'target', ...parts.target },
    { name: 'alert rate', ...parts.alert_rate },
    { name: 'known frauds', ...parts.known_frauds },
    { name: 'rank stability', ...parts.rank_stability },
    { name: 'freshness', ...parts.freshness },
    { name: 'performance', ...parts.performance },
  ];
  const reasons = (verdict: DriftColumn['verdict']): string[] =>
    named.filter((part) => part.verdict === verdict).flatMap(({ name, why }) => why.map((text) => `${name}: ${text}`));
  if (whole < policy.min_rows) {
    const found = rows < policy.min_rows ? `${rows} rows` : `${whole} of ${rows} rows are of whole days`;
    return { verdict: 'inconclusive', why: [`${found}, of ${policy.min_rows} that a verdict needs`] };
  }
  const compared = parts.features.filter(({ kind }) => kind !== 'unknown');
  if (compared.every(({ n }) => n === 0))
    return {
      verdict: 'inconclusive',
      why: ['every value of every feature is missing: look at what writes the predictions'],
    };
  const [drift, warn] = [reasons('drift'), reasons('warn')];
  const unwatched = parts.features.filter(
    ({ verdict, kind, n }) => verdict === 'inconclusive' && (kind === 'unknown' || n === 0),
  );
  const unseen = [
    ...unwatched.flatMap(({ name, why }) => why.map((text) => `${name}: ${text}`)),
    ...(hasDays ? [] : [NO_DAYS]),
  ];
  if (drift.length > 0) return { verdict: 'drift', why: [...drift, ...warn, ...unseen] };
  if (warn.length + unseen.length > 0) return { verdict: 'warn', why: [...warn, ...unseen] };
  return { verdict: 'none', why: [] };
}

function smallestP({ scopes }: DriftColumn): number | null {
  const ps = scopes.flatMap(({ p_adjusted, missing_p_adjusted }) => [p_adjusted, missing_p_adjusted]);
  const known = ps.filter((p): p is number => p !== null);
  return known.length === 0 ? null : Math.min(...known);
}
