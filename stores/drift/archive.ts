import type { Db } from 'mongodb';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate } from '../../platform/validate.js';
import type { DriftReport, DriftSnapshot } from '../../schemas/types.js';
import type { DriftDay } from '../../domain/drift/day.js';
import { COLLECTIONS, openCollection } from '../collections.js';
import { documentId, readDay, toDay, type DriftReportDocument } from './reports.js';

/** One line of `sluice drift list`. */
export interface DriftEntry {
  key: string;
  asOf: string;
  kind: 'daily' | 'weekly';
  verdict: DriftDay['verdict'] | null;
  rows: number;
  featuresWithDrift: string[];
  action: DriftDay['action'] | null;
  retraining: string | null;
}

export interface KeptDay {
  day: DriftDay;
  /** null where there was too little to compare */
  report: DriftReport | null;
  mlflowRunId: string | null;
  /** the release that this day started */
  retraining: string | null;
}

/** Days and weekly snapshots of a model, newest first. */
export async function listDrift(db: Db, model: string, limit: number): Promise<DriftEntry[]> {
  const [days, weeks] = await Promise.all([
    openCollection(db, COLLECTIONS.driftReports).find({ model }).sort({ as_of: -1 }).limit(limit).toArray(),
    openCollection(db, COLLECTIONS.driftSnapshots)
      .find({ model }, { projection: { key: 1, as_of: 1, 'snapshot.rows': 1 } })
      .sort({ as_of: -1 })
      .limit(limit)
      .toArray(),
  ]);
  const entries = [
    ...days.map(toEntry),
    ...weeks.map(({ key, as_of, snapshot }) => ({
      key,
      asOf: as_of.toISOString(),
      kind: 'weekly' as const,
      verdict: null,
      rows: snapshot.rows,
      featuresWithDrift: [],
      action: null,
      retraining: null,
    })),
  ];
  return entries.sort((a, b) => b.asOf.localeCompare(a.asOf)).slice(0, limit);
}

/** @throws SluiceError NotFound */
export async function readKeptDay(
  db: Db,
  store: Pick<ObjectStore, 'get'>,
  model: string,
  key: string,
): Promise<KeptDay> {
  const document = await readDay(db, { model, key });
  if (document === null) throw unknown(model, key, 'day');
  return {
    day: toDay(document),
    report: document.report_key === null ? null : await readReport(store, document.report_key),
    mlflowRunId: document.mlflow_run_id ?? null,
    retraining: document.retraining ?? null,
  };
}

/** @throws SluiceError NotFound */
export async function readSnapshot(db: Db, model: string, key: string): Promise<DriftSnapshot> {
  const document = await openCollection(db, COLLECTIONS.driftSnapshots).findOne({ _id: documentId({ model, key }) });
  if (document === null) throw unknown(model, key, 'weekly snapshot');
  return document.snapshot;
}

/** @throws SluiceError IntegrityError when the store has no such report, or one that is none */
export async function readReport(store: Pick<ObjectStore, 'get'>, key: string): Promise<DriftReport> {
  const object = await store.get(key);
  if (object === null)
    throw new SluiceError('IntegrityError', `${key} is named by drift_reports and is not in the object store`);
  return validate('drift-report', JSON.parse(object.bytes.toString('utf8')), key);
}

function toEntry(document: DriftReportDocument): DriftEntry {
  return {
    key: document.key,
    asOf: document.as_of.toISOString(),
    kind: 'daily',
    verdict: document.verdict,
    rows: document.rows,
    featuresWithDrift: document.features_with_drift,
    action: document.action,
    retraining: document.retraining ?? null,
  };
}

function unknown(model: string, key: string, what: string): SluiceError {
  return new SluiceError('NotFound', `no ${what} ${key} of ${model}: \`sluice drift list\` shows those there are`);
}
