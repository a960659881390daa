import type { Db } from 'mongodb';
import { SluiceError } from '../../platform/errors.js';
import type { MlflowTracking, TrackedRun } from '../../platform/mlflow-tracking.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { COLLECTIONS, openCollection } from '../../stores/collections.js';
import { documentId, readDay, type DriftReportDocument } from '../../stores/drift/reports.js';

/** By this tag a run whose creation was not answered is found again. */
const TAG = 'sluice.drift';

export interface MlflowRunDeps {
  db: Db;
  store: Pick<ObjectStore, 'get'>;
  tracking: MlflowTracking;
}

/**
 * Report and page of a day as artifacts of its one MLflow run, its figures as metrics at the day's own time, so that days make a line whatever
 * order they were run in.
 * @throws SluiceError NotFound for a day without a report
 */
export async function logDay(
  { db, store, tracking }: MlflowRunDeps,
  which: { model: string; key: string },
): Promise<{ runId: string; url: string }> {
  const day = await readDay(db, which);
  if (day === null || day.report_key === null || day.page_key === null)
    throw new SluiceError(
      'NotFound',
      `there is no drift report of ${which.model} ${which.key}: \`sluice drift run\` makes one`,
    );
  const [report, page] = await Promise.all([readWhole(store, day.report_key), readWhole(store, day.page_key)]);
  const run = await theOneRun(db, tracking, day);
  await tracking.log(run.runId, { metrics: figures(day), atMs: day.as_of.getTime(), tags: tags(day) });
  await tracking.uploadArtifact(run, 'report.json', report, 'application/json');
  await tracking.uploadArtifact(run, 'report.html', page, 'text/html');
  await tracking.finishRun(run.runId, Date.now());
  return { runId: run.runId, url: tracking.pageOf(run) };
}

/**
 * MLflow knows no "create if absent", so the day's document says which run is the one: whoever writes it there first. A run whose creation was
 * never answered is taken over, and what else carries the day's tag is deleted.
 */
async function theOneRun(db: Db, tracking: MlflowTracking, day: DriftReportDocument): Promise<TrackedRun> {
  if (day.mlflow_run_id !== undefined) return await tracking.getRun(day.mlflow_run_id);
  const experimentId = await tracking.ensureExperiment(`${day.model}-drift`);
  const tag = { key: TAG, value: documentId(day) };
  const mine =
    (await tracking.findRuns(experimentId, tag))[0] ??
    (await tracking.createRun({
      experimentId,
      name: day.key,
      startTimeMs: Date.now(),
      tags: { [tag.key]: tag.value },
    }));
  await openCollection(db, COLLECTIONS.driftReports).updateOne(
    { _id: documentId(day), mlflow_run_id: { $exists: false } },
    { $set: { mlflow_run_id: mine.runId } },
  );
  const chosen = (await readDay(db, day))?.mlflow_run_id ?? mine.runId;
  for (const { runId } of await tracking.findRuns(experimentId, tag))
    if (runId !== chosen) await tracking.deleteRun(runId);
  return chosen === mine.runId ? mine : await tracking.getRun(chosen);
}

/** What could be measured; MLflow has no word for the rest. */
function figures(day: DriftReportDocument): Record<string, number> {
  const all: Record<string, number | null> = {
    rows: day.rows,
    features_with_drift: day.features_with_drift.length,
    days_with_drift: day.sustained.days,
    alert_rate: day.alert_rate,
    alert_rate_ratio: day.alert_rate_ratio,
    staleness_hours: day.staleness_hours,
  };
  for (const [name, psi] of Object.entries(day.psi)) all[`psi/${name}`] = psi;
  return Object.fromEntries(Object.entries(all).filter((entry): entry is [string, number] => entry[1] !== null));
}

function tags(day: DriftReportDocument): Record<string, string> {
  return {
    'sluice.model': day.model,
    'sluice.key': day.key,
    'sluice.as_of': day.as_of.toISOString(),
    'sluice.bundle': day.bundle_version,
    'sluice.model_version': day.model_version,
    'sluice.verdict': day.verdict,
    'sluice.action': day.action,
    'mlflow.note.content': day.why,
  };
}

async function readWhole(store: Pick<ObjectStore, 'get'>, key: string): Promise<Buffer> {
  const object = await store.get(key);
  if (object === null)
    throw new SluiceError('IntegrityError', `${key} is named by drift_reports and is not in the object store`);
  return object.bytes;
}
