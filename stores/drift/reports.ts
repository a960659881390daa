import type { Db } from 'mongodb';
import type { DriftSnapshot } from '../../schemas/types.js';
import type { DriftDay } from '../../domain/drift/day.js';
import { isDuplicateKey } from '../../platform/mongo.js';
import { COLLECTIONS, openCollection } from '../collections.js';

/** One day in short, for the k-of-n rule and for lists; the report itself lies in S3. */
export interface DriftReportDocument {
  /** `{model}/{key}` */
  _id: string;
  model: string;
  key: string;
  as_of: Date;
  bundle_version: string;
  model_version: string;
  verdict: DriftDay['verdict'];
  why: string;
  rows: number;
  features_with_drift: string[];
  psi: DriftDay['psi'];
  alert_rate: number | null;
  alert_rate_ratio: number | null;
  /** absent in days of before */
  pressures?: readonly string[];
  staleness_hours: number | null;
  is_stale: boolean;
  sustained: DriftDay['sustained'];
  action: DriftDay['action'];
  report_key: string | null;
  page_key: string | null;
  /** the run in MLflow, once it is known which one it is */
  mlflow_run_id?: string;
  /** the release that this day started */
  retraining?: string;
}

export interface DriftSnapshotDocument {
  /** `{model}/{key}` */
  _id: string;
  model: string;
  key: string;
  as_of: Date;
  snapshot_key: string;
  snapshot: DriftSnapshot;
}

interface Which {
  model: string;
  key: string;
}
export function documentId({ model, key }: Which): string {
  return `${model}/${key}`;
}

/** Writes a day; one without a report never replaces one that has one, however late it comes. */
export async function saveDay(db: Db, day: DriftDay): Promise<void> {
  const { _id, ...fields } = toDocument(day);
  const filter = day.reportKey === null ? { _id, report_key: null } : { _id };
  try {
    await openCollection(db, COLLECTIONS.driftReports).updateOne(filter, { $set: fields }, { upsert: true });
  } catch (error) {
    if (day.reportKey !== null || !isDuplicateKey(error)) throw error;
  }
}

export async function readDay(db: Db, which: Which): Promise<DriftReportDocument | null> {
  return await openCollection(db, COLLECTIONS.driftReports).findOne({ _id: documentId(which) });
}

function toDocument(day: DriftDay): DriftReportDocument {
  return {
    _id: documentId(day),
    model: day.model,
    key: day.key,
    as_of: new Date(day.asOf),
    bundle_version: day.bundleVersion,
    model_version: day.modelVersion,
    verdict: day.verdict,
    why: day.why,
    rows: day.rows,
    features_with_drift: day.featuresWithDrift,
    psi: day.psi,
    alert_rate: day.alertRate,
    alert_rate_ratio: day.alertRateRatio,
    ...(day.pressures === undefined ? {} : { pressures: day.pressures }),
    staleness_hours: day.stalenessHours,
    is_stale: day.isStale,
    sustained: day.sustained,
    action: day.action,
    report_key: day.reportKey,
    page_key: day.pageKey,
  };
}

/** The day as it was written. */
export function toDay(document: DriftReportDocument): DriftDay {
  return {
    model: document.model,
    key: document.key,
    asOf: document.as_of.toISOString(),
    bundleVersion: document.bundle_version,
    modelVersion: document.model_version,
    verdict: document.verdict,
    why: document.why,
    rows: document.rows,
    featuresWithDrift: document.features_with_drift,
    psi: document.psi,
    alertRate: document.alert_rate,
    alertRateRatio: document.alert_rate_ratio,
    ...(document.pressures === undefined ? {} : { pressures: document.pressures }),
    stalenessHours: document.staleness_hours,
    isStale: document.is_stale,
    sustained: document.sustained,
    action: document.action,
    reportKey: document.report_key,
    pageKey: document.page_key,
  };
}
