import type { Db } from 'mongodb';
import { canonicalJson, sha256Hex } from '../../domain/bundle/digest.js';
import type { Fixing } from '../../domain/lookups/fixings.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import type { LoadedModel } from '../../platform/models.js';
import type { DataProfile } from '../../schemas/types.js';
import { addressOf } from '../../platform/mongo.js';
import type { Lookup } from '../lookups/ready.js';
import type { SnapshotWindow } from './window.js';

/** Raised whenever a change to this code changes what a snapshot holds. */
const FORMAT = 1;

/** What decides a table besides its rows: how they were chosen and what they go through. */
export function hashHeader(
  { spec, registrySha256, requestSchemaBytes, staticLookups }: LoadedModel,
  window: SnapshotWindow,
  rows: number,
  fixings: readonly Fixing[],
  fields: readonly string[],
): string {
  const { checks: _checks, ...data } = spec.data;
  const header = canonicalJson({
    format: FORMAT,
    model: spec.model,
    base_currency: spec.base_currency,
    segment: spec.segment,
    data,
    lookups: spec.lookups,
    fields,
    as_of: window.asOf,
    from: window.from,
    to: window.to,
    rows,
    feature_registry_sha256: registrySha256,
    request_schema_sha256: sha256Hex(requestSchemaBytes),
    fixings_sha256: sha256Hex(canonicalJson(fixings)),
    static_lookups: Object.fromEntries(
      Object.entries(staticLookups).map(([name, { bytes }]) => [name, sha256Hex(bytes)]),
    ),
  });
  return `${header.toString('utf8')}\n`;
}

/** `ingestion_summary.json`: how many rows there were, and what became of them. */
export function ingestionSummary(
  { spec }: LoadedModel,
  rowsInWindow: number,
  ref: SnapshotRef,
  profile: DataProfile,
): object {
  return {
    model: spec.model,
    data_snapshot_id: ref.dataSnapshotId,
    collection: spec.data.collection,
    as_of: ref.asOf,
    window: { from: ref.from, to: ref.to },
    rows_in_window: rowsInWindow,
    rows_label_not_mature: rowsInWindow - profile.rows,
    rows_mature: profile.rows,
    rows_refused: profile.refused.count,
    refused_reasons: profile.refused.reasons,
    rows_used: ref.rows,
    positives: ref.positives,
    splits: ref.splits,
  };
}

/** `data_lineage.json`: where every part of the snapshot comes from. */
export function lineage(
  { db, gitSha }: { db: Db; gitSha: string },
  { spec, specSha256 }: LoadedModel,
  window: SnapshotWindow,
  ref: SnapshotRef,
  fixings: readonly Fixing[],
  lookups: readonly Lookup[],
  table: { sha256: string; bytes: number },
): object {
  return {
    data_snapshot_id: ref.dataSnapshotId,
    content_sha256: ref.contentSha256,
    source: {
      system: 'mongodb',
      address: addressOf(db),
      database: db.databaseName,
      collection: spec.data.collection,
      filter: window.filter,
      order: Object.keys(window.sort),
    },
    fixings: {
      collection: spec.data.fixings_collection,
      count: fixings.length,
      oldest: fixings[0]?._id,
      newest: fixings[fixings.length - 1]?._id,
      sha256: sha256Hex(canonicalJson(fixings)),
    },
    code: { git_sha: gitSha, spec_sha256: specSha256, feature_registry_sha256: ref.featureRegistrySha256 },
    lookups: Object.fromEntries(
      lookups.map(({ name, file, record: { version, sha256, as_of, window: made, rows } }) => [
        name,
        { file, version, sha256, as_of, window: made, rows },
      ]),
    ),
    output: { key: ref.parquetKey, ...table },
  };
}

/** `data_freshness.json`: how old the newest of everything is. */
export function freshness({ spec }: LoadedModel, ref: SnapshotRef, profile: DataProfile): object {
  return {
    data_snapshot_id: ref.dataSnapshotId,
    label_maturity_days: spec.data.label_maturity_days,
    max_staleness_days: spec.data.checks.max_staleness_days,
    ...profile.freshness,
    newest_fixing: profile.fixings.newest,
  };
}
