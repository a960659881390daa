import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Db } from 'mongodb';
import { canonicalJson, readableJson, sha256Hex } from '../../../domain/bundle/digest.js';
import { lookupVersionFile } from '../../../domain/bundle/layout.js';
import { requestFields } from '../../../domain/features/check-model.js';
import { buildFxRates, type Fixing } from '../../../domain/lookups/fixings.js';
import { lookupVersion } from '../../../domain/lookups/version.js';
import type { SnapshotRef } from '../../../domain/release/types.js';
import { SluiceError } from '../../../platform/errors.js';
import type { LoadedModel } from '../../../platform/models.js';
import type { ObjectStore } from '../../../platform/object-store.js';
import { validate, type SchemaName } from '../../../platform/validate.js';
import type { ArtifactVersion, DataProfile } from '../../../schemas/types.js';
import { addressOf } from '../address.js';
import { ensureIndexes } from '../indexes.js';
import { expectFixingsBefore, fixingsProfile, readFixings } from './fixings.js';
import { SNAPSHOT_FILE, snapshotPrefix } from './keys.js';
import { lookupsPass } from './lookups-pass.js';
import { completeSnapshot, digestOfFile, existingSnapshot, putOnce } from './publish.js';
import { tablePass } from './table-pass.js';
import { snapshotWindow, type SnapshotWindow } from './window.js';

/** Raised whenever a change to this code changes what a snapshot holds. */
const FORMAT = 1;
/** Rows may be imported while a snapshot reads; it then begins anew, but not forever. */
const ATTEMPTS = 3;
/** longer than any history of fixings */
const ALL_DAYS = 100_000;

export interface SnapshotDeps {
  db: Db;
  objectStore: Pick<ObjectStore, 'get' | 'head' | 'putIfAbsent' | 'putFile' | 'endpoint' | 'bucket'>;
  /** of the running code, for the lineage; empty when unknown */
  gitSha: string;
  /** where the table grows before it goes to S3 */
  tempDir: string;
}

export interface Progress {
  stage: 'count' | 'lookups' | 'features' | 'upload';
  fraction: number;
}

interface Lookup {
  name: string;
  file: string;
  bytes: Buffer;
  record: ArtifactVersion;
}

/**
 * Writes the immutable training snapshot of a model as of a time: the mature rows, streamed twice in their order (once for the
 * lookups, once for features, profile and content hash), as Parquet in S3 with everything that explains it. The record goes last. The same rows, spec
 * and rates give the same id, and a complete snapshot with that id is returned as it is.
 */
export async function writeSnapshot(
  deps: SnapshotDeps,
  model: LoadedModel,
  asOf: string,
  how: { signal?: AbortSignal | undefined; onProgress: (progress: Progress) => void },
): Promise<SnapshotRef> {
  await ensureIndexes(deps.db, model.spec.data);
  const directory = await mkdtemp(join(deps.tempDir, 'snapshot-'));
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const ref = await attemptSnapshot(deps, model, asOf, join(directory, SNAPSHOT_FILE.table), how);
      if (ref !== 'rows changed') return ref;
    }
    throw new SluiceError(
      'Conflict',
      `${model.spec.data.collection} kept changing while it was read (${ATTEMPTS} times). Run the release when the import is over.`,
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function attemptSnapshot(
  deps: SnapshotDeps,
  model: LoadedModel,
  asOf: string,
  path: string,
  { signal, onProgress }: Parameters<typeof writeSnapshot>[3],
): Promise<SnapshotRef | 'rows changed'> {
  const { db, objectStore } = deps;
  const { spec } = model;
  const { data } = spec;
  const during = (stage: Progress['stage']) => ({
    signal,
    onProgress: (fraction: number) => onProgress({ stage, fraction }),
  });
  onProgress({ stage: 'count', fraction: 0 });
  const window = await snapshotWindow(db, data, asOf);
  const fixings = await readFixings(db, data, window);
  await expectFixingsBeforeFirstRow(db, model, window, fixings);

  const request = requestFields(model.requestSchema);
  const fields = [...request.keys(), data.fields.label, data.fields.label_time];
  const ready = readyLookups(model, fixings, window.asOf);
  const first = await lookupsPass(db, model, window, fields, ready.forTraining, during('lookups'));
  const built = Object.fromEntries(Object.entries(first.lookups).map(([name, { document }]) => [name, document]));
  const all = { ...ready.forTraining, ...built };
  const header = hashHeader(model, window, fixings, fields);
  const table = await tablePass(db, model, window, request, fields, header, all, path, during('features'));
  if (table.lookupRowsSha256 !== first.rowsSha256 || table.profile.rows !== window.rows) return 'rows changed';

  const dataSnapshotId = `${window.from.slice(0, 10)}_${window.to.slice(0, 10)}_${table.contentSha256.slice(0, 12)}`;
  const prefix = snapshotPrefix(spec.model, dataSnapshotId);
  const existing = await existingSnapshot(objectStore, prefix);
  if (existing !== null) return existing;

  onProgress({ stage: 'upload', fraction: 0 });
  const lookups = describeLookups(deps, model, window, fixings, ready, first.lookups);
  const profile = table.profile.build({ asOf: window.asOf, fixings: fixingsProfile(fixings, window) });
  const tableDigest = await digestOfFile(path);
  await objectStore.putFile(prefix + SNAPSHOT_FILE.table, path, 'application/vnd.apache.parquet');
  const ref: SnapshotRef = {
    dataSnapshotId,
    prefix,
    parquetKey: prefix + SNAPSHOT_FILE.table,
    contentSha256: table.contentSha256,
    asOf: window.asOf,
    from: window.from,
    to: window.to,
    rows: table.rows,
    positives: table.positives,
    splits: table.splits,
    featureNames: table.featureNames,
    featureRegistrySha256: model.registrySha256,
  };
  const small: Record<string, Buffer> = {
    [SNAPSHOT_FILE.registry]: model.registryBytes,
    [SNAPSHOT_FILE.fixings]: canonicalJson(fixings),
    [SNAPSHOT_FILE.profile]: readableJson(validate('data-profile', profile, SNAPSHOT_FILE.profile)),
    [SNAPSHOT_FILE.ingestion]: readableJson(ingestionSummary(model, window, ref, profile)),
    [SNAPSHOT_FILE.lineage]: readableJson(lineage(deps, model, window, ref, fixings, lookups, tableDigest)),
    [SNAPSHOT_FILE.freshness]: readableJson(freshness(model, ref, profile)),
  };
  for (const { file, bytes, record } of lookups) {
    small[`lookups/${file}`] = bytes;
    small[`lookups/${lookupVersionFile(file)}`] = readableJson(record);
  }
  const files: Parameters<typeof completeSnapshot>[2] = { [SNAPSHOT_FILE.table]: tableDigest };
  for (const [name, bytes] of Object.entries(small)) {
    signal?.throwIfAborted();
    files[name] = (await putOnce(objectStore, prefix + name, bytes)).digest;
  }
  return completeSnapshot(objectStore, ref, files);
}

async function expectFixingsBeforeFirstRow(
  db: Db,
  { spec: { data } }: LoadedModel,
  { filter, sort }: SnapshotWindow,
  fixings: readonly Fixing[],
): Promise<void> {
  const { time } = data.fields;
  const first = await db.collection(data.collection).findOne(filter, { sort, projection: { _id: 0, [time]: 1 } });
  if (first !== null) expectFixingsBefore(fixings, first[time] as Date);
}

interface ReadyLookups {
  /** lookup name → document: the static ones, and rates that reach back over the whole window */
  forTraining: Record<string, unknown>;
  /** lookup name → document as a bundle holds it: rates with the trailing fixings that the spec asks for */
  forBundle: Record<string, unknown>;
}

/** The lookups that need no rows. */
function readyLookups({ spec, staticLookups }: LoadedModel, fixings: readonly Fixing[], asOf: string): ReadyLookups {
  const ready: ReadyLookups = { forTraining: {}, forBundle: {} };
  for (const [name, lookup] of Object.entries(spec.lookups)) {
    if (lookup.builder === 'static') {
      ready.forTraining[name] = ready.forBundle[name] = staticLookups[name]?.document;
    } else if (lookup.builder === 'fixings') {
      const rates = { baseCurrency: spec.base_currency, asOf };
      try {
        ready.forTraining[name] = buildFxRates(fixings, { ...rates, trailingDays: ALL_DAYS });
        ready.forBundle[name] = buildFxRates(fixings, { ...rates, trailingDays: lookup.trailing_days });
      } catch (error) {
        if (error instanceof RangeError) throw new SluiceError('InvalidInput', `lookup ${name}: ${error.message}`);
        throw error;
      }
    }
  }
  return ready;
}

/** What decides a table besides its rows: how they were chosen and what they go through. */
function hashHeader(
  { spec, registrySha256, requestSchemaBytes, staticLookups }: LoadedModel,
  window: SnapshotWindow,
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
    rows: window.rows,
    feature_registry_sha256: registrySha256,
    request_schema_sha256: sha256Hex(requestSchemaBytes),
    fixings_sha256: sha256Hex(canonicalJson(fixings)),
    static_lookups: Object.fromEntries(
      Object.entries(staticLookups).map(([name, { bytes }]) => [name, sha256Hex(bytes)]),
    ),
  });
  return `${header.toString('utf8')}\n`;
}

/** Each lookup as a bundle holds it, and the record of what it was made from. */
function describeLookups(
  { gitSha }: SnapshotDeps,
  { spec, staticLookups }: LoadedModel,
  window: SnapshotWindow,
  fixings: readonly Fixing[],
  ready: ReadyLookups,
  windowed: Readonly<Record<string, { document: unknown; rows: number }>>,
): Lookup[] {
  const createdAt = new Date().toISOString();
  const { data } = spec;
  const rowWindow = {
    from: new Date(window.lookups.fromMs).toISOString(),
    to: new Date(window.lookups.toMs).toISOString(),
  };
  return Object.entries(spec.lookups).map(([name, { builder, file, schema }]) => {
    const fromRows = windowed[name];
    const document = validate(schema as SchemaName, fromRows?.document ?? ready.forBundle[name], file);
    const bytes = staticLookups[name]?.bytes ?? readableJson(document);
    const base = { name, bytes, createdAt };
    if (fromRows !== undefined) {
      const inputs = { collection: data.collection, fixings: data.fixings_collection };
      // As of the end of its window, not of the release: a nightly one, made later from newer rows, is the newer of the two.
      const record = lookupVersion({ ...base, asOf: rowWindow.to, window: rowWindow, rows: fromRows.rows, inputs });
      return { name, file, bytes, record };
    }
    if (builder === 'fixings') {
      const used = (document as { trailing: { date: string }[]; fixing_date: string }).trailing;
      const newest = (document as { fixing_date: string }).fixing_date;
      const oldest = used[used.length - 1]?.date ?? newest;
      const record = lookupVersion({
        ...base,
        asOf: window.asOf,
        window: { from: `${oldest}T00:00:00.000Z`, to: `${newest}T00:00:00.000Z` },
        rows: used.length + 1,
        inputs: { collection: data.fixings_collection, base: fixings[0]?.base ?? '' },
      });
      return { name, file, bytes, record };
    }
    const record = lookupVersion({
      ...base,
      asOf: window.asOf,
      window: { from: window.asOf, to: window.asOf },
      rows: 0,
      inputs: { source: `models/${spec.model}/${file}`, ...(gitSha === '' ? {} : { git_sha: gitSha }) },
    });
    return { name, file, bytes, record };
  });
}

function ingestionSummary(
  { spec }: LoadedModel,
  window: SnapshotWindow,
  ref: SnapshotRef,
  profile: DataProfile,
): object {
  return {
    model: spec.model,
    data_snapshot_id: ref.dataSnapshotId,
    collection: spec.data.collection,
    as_of: ref.asOf,
    window: { from: ref.from, to: ref.to },
    rows_in_window: window.rows + window.immature,
    rows_label_not_mature: window.immature,
    rows_mature: window.rows,
    rows_refused: profile.refused.count,
    refused_reasons: profile.refused.reasons,
    rows_used: ref.rows,
    positives: ref.positives,
    splits: ref.splits,
  };
}

function lineage(
  { db, gitSha }: SnapshotDeps,
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

function freshness({ spec }: LoadedModel, ref: SnapshotRef, profile: DataProfile): object {
  return {
    data_snapshot_id: ref.dataSnapshotId,
    label_maturity_days: spec.data.label_maturity_days,
    max_staleness_days: spec.data.checks.max_staleness_days,
    ...profile.freshness,
    newest_fixing: profile.fixings.newest,
  };
}
