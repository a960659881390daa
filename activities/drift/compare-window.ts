import type { Db } from 'mongodb';
import { readableJson } from '../../domain/bundle/digest.js';
import { compareWithReference, withAction } from '../../domain/drift/compare.js';
import { renderDriftPage, type EarlierDay } from '../../domain/drift/page/page.js';
import { pressuresOf, type Pressure } from '../../domain/retraining/pressure.js';
import { actionFor, daysWithDrift } from '../../domain/retraining/rule.js';
import { SluiceError } from '../../platform/errors.js';
import { validate } from '../../platform/validate.js';
import type { DriftReport, ModelSpec } from '../../schemas/types.js';
import type { DriftDay } from '../../domain/drift/day.js';
import type { DriftReference } from '../../domain/drift/types.js';
import type { DriftTarget } from './contract.js';
import { driftPrefix } from '../../stores/keys.js';
import { COLLECTIONS, openCollection } from '../../stores/collections.js';
import { readDay, saveDay, toDay } from '../../stores/drift/reports.js';
import { readWindow, type ReadOptions } from './read-window.js';
import { earlierDays, readReference, type ReferenceDeps } from './reference/read.js';

const DAY_MS = 86_400_000;
const DAYS_DRAWN = 30;
/** Longer reasons stay in the report: these go into workflow history, alerts and lists. */
const WHY_CHARACTERS = 400;

export interface CompareDeps extends ReferenceDeps {
  db: Db;
}

/**
 * One day's comparison, made once: the report, then the page drawn from the report that stands, then the day in `drift_reports`. Stopped in
 * between, the next try finds the report and does the rest. A comparison without a verdict leaves a day and no report, so that it can be
 * made again when there is more to compare.
 */
export async function compareWindow(
  deps: CompareDeps,
  spec: ModelSpec,
  target: DriftTarget,
  options: ReadOptions,
): Promise<DriftDay> {
  const kept = await readDay(deps.db, target);
  if (kept !== null && kept.report_key !== null) return toDay(kept);
  const reportKey = `${driftPrefix(target)}report.json`;
  const stored = await deps.store.get(reportKey);
  if (stored !== null) return await keep(deps, spec, target, reportKey, stored.bytes);

  const { model, bundle: live } = target;
  const { manifest, reference } = await readReference(deps, spec, { model, ...live }, options.signal);
  if (reference === null) return await withoutReference(deps, spec, target, manifest.model_version);
  const { window, bundles } = await readWindow(deps.db, spec, { ...target, ...readOf(reference) }, options);
  const others = bundles.filter(({ version }) => version !== live.version);
  const earlier = reference.days === null ? {} : await earlierDays(deps, spec, model, others, options.signal);
  const compared = compareWithReference({ ...reference, earlier }, window, spec.drift, target.asOf);
  const report = await judgeByRule(deps.db, spec, target, compared);
  if (report.verdict === 'inconclusive') {
    const day = await toDriftDay(deps.db, spec, target, report, null);
    await saveDay(deps.db, day);
    return { ...day, since: await newestVerdict(deps.db, day) };
  }
  const bytes = readableJson(report);
  const outcome = await deps.store.putIfAbsent(reportKey, bytes, 'application/json');
  // A rival attempt may have read a later state of the log: what was written first stands for both.
  const first = outcome === 'created' ? bytes : (await deps.store.get(reportKey))?.bytes;
  if (first === undefined)
    throw new SluiceError('Unreachable', `${reportKey} vanished while it was written; try again.`);
  return await keep(deps, spec, target, reportKey, first);
}

/** The page and the day of a report that stands. */
async function keep(
  deps: CompareDeps,
  spec: ModelSpec,
  target: DriftTarget,
  reportKey: string,
  bytes: Buffer,
): Promise<DriftDay> {
  const report = validate('drift-report', JSON.parse(bytes.toString('utf8')), reportKey);
  const page = renderDriftPage(report, await pageDays(deps.db, target, report));
  const pageKey = `${driftPrefix(target)}report.html`;
  await deps.store.putIfAbsent(pageKey, Buffer.from(page), 'text/html; charset=utf-8');
  const day = await toDriftDay(deps.db, spec, target, report, { reportKey, pageKey });
  await saveDay(deps.db, day);
  return day;
}

/** The days before from the same model, for the page's line of days. */
async function pageDays(db: Db, { model, asOf }: DriftTarget, report: DriftReport): Promise<EarlierDay[]> {
  const days = await openCollection(db, COLLECTIONS.driftReports)
    .find({
      model,
      model_version: report.model_version,
      report_key: { $ne: null },
      as_of: { $lt: new Date(asOf) },
    })
    .sort({ as_of: -1 })
    .limit(DAYS_DRAWN)
    .toArray();
  return days.map(({ as_of, psi }) => ({ timestamp: as_of.toISOString(), psi }));
}

function readOf(reference: DriftReference): { modelVersion: string; inputs: string[] } {
  const inputs = (reference.days?.columns ?? []).filter(({ source }) => source === 'input').map(({ name }) => name);
  return { modelVersion: reference.modelVersion, inputs };
}

function inWords(pressure: Pressure): string {
  return pressure.replaceAll('_', ' ');
}

/** What the days before and this one's pressures make of the verdict. */
async function judgeByRule(db: Db, spec: ModelSpec, target: DriftTarget, report: DriftReport): Promise<DriftReport> {
  const { retraining } = spec.drift;
  const days = await countDays(db, spec, target, report);
  const pressures = pressuresOf(report, spec.drift);
  const isStale = report.freshness.verdict === 'warn';
  const action = actionFor(report.verdict, { daysWithDrift: days, pressures, isStale }, retraining);
  return withAction(
    report,
    action,
    `drift on ${days} of the last ${retraining.of} days (${retraining.days} ask for a retraining), ${pressures.length === 0 ? 'and nothing that a retraining would help: alert rate, recall, precision, AUPRC and score are as the spec allows' : `and pressure by ${pressures.map(inWords).join(', ')}`}`,
  );
}

/** Days with drift from the same model, this one counted: what another model's days showed is not evidence against this one. */
async function countDays(
  db: Db,
  { drift }: ModelSpec,
  { model, key, asOf }: DriftTarget,
  report: DriftReport,
): Promise<number> {
  const { of } = drift.retraining;
  const to = Date.parse(asOf);
  const earlier = await openCollection(db, COLLECTIONS.driftReports)
    .find({
      model,
      model_version: report.model_version,
      key: { $ne: key },
      as_of: { $gt: new Date(to - (of + 1) * DAY_MS), $lte: new Date(to) },
    })
    .toArray();
  const days = earlier.map(({ as_of, verdict }) => ({ asOf: as_of.toISOString(), verdict }));
  return daysWithDrift([...days, { asOf, verdict: report.verdict }], asOf, of);
}

async function toDriftDay(
  db: Db,
  spec: ModelSpec,
  target: DriftTarget,
  report: DriftReport,
  keys: { reportKey: string; pageKey: string } | null,
): Promise<DriftDay> {
  const { model, key, asOf } = target;
  return {
    model,
    key,
    asOf,
    bundleVersion: report.bundle_version,
    modelVersion: report.model_version,
    verdict: report.verdict,
    why: inShort(report),
    rows: report.window.rows,
    featuresWithDrift: report.features_with_drift,
    psi: { ...report.psi, [report.prediction.name]: report.prediction.scopes[0]?.psi ?? null },
    alertRate: report.alert_rate.rate,
    alertRateRatio: report.alert_rate.ratio,
    pressures: pressuresOf(report, spec.drift),
    stalenessHours: report.freshness.age_hours,
    isStale: report.freshness.verdict === 'warn',
    sustained: {
      days: await countDays(db, spec, target, report),
      required: spec.drift.retraining.days,
      of: spec.drift.retraining.of,
    },
    action: report.action,
    reportKey: keys?.reportKey ?? null,
    pageKey: keys?.pageKey ?? null,
  };
}

/** The gravest reason of each part, and what the rule made of them. */
function inShort({ verdict, why, action_why }: DriftReport): string {
  const gravest = new Map<string, string>();
  for (const reason of why) {
    const part = reason.split(':', 1)[0] ?? '';
    if (!gravest.has(part)) gravest.set(part, reason);
  }
  const reasons = gravest.size === 0 ? 'no drift' : [...gravest.values()].join('; ');
  const text = verdict === 'drift' ? `${action_why}: ${reasons}` : reasons;
  return text.length <= WHY_CHARACTERS ? text : `${text.slice(0, WHY_CHARACTERS - 1)}…`;
}

async function withoutReference(
  { db }: CompareDeps,
  { drift }: ModelSpec,
  { model, key, asOf, bundle }: DriftTarget,
  modelVersion: string,
): Promise<DriftDay> {
  const { days: required, of } = drift.retraining;
  const day: DriftDay = {
    model,
    key,
    asOf,
    bundleVersion: bundle.version,
    modelVersion,
    verdict: 'inconclusive',
    why: `${bundle.version} was released before bundles carried a reference profile: release again, \`sluice release start\``,
    rows: 0,
    featuresWithDrift: [],
    psi: {},
    alertRate: null,
    alertRateRatio: null,
    stalenessHours: null,
    isStale: false,
    sustained: { days: 0, required, of },
    action: 'alert',
    reportKey: null,
    pageKey: null,
  };
  await saveDay(db, day);
  return { ...day, since: await newestVerdict(db, day) };
}

/** The key of the model version's newest day with a verdict, up to this one; null: it has none. */
async function newestVerdict(db: Db, { model, modelVersion, asOf }: DriftDay): Promise<string | null> {
  const newest = await openCollection(db, COLLECTIONS.driftReports).findOne(
    { model, model_version: modelVersion, report_key: { $ne: null }, as_of: { $lte: new Date(asOf) } },
    { sort: { as_of: -1 } },
  );
  return newest?.key ?? null;
}
