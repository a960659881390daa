import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Db } from 'mongodb';
import { canonicalJson, readableJson } from '../../domain/bundle/digest.js';
import { lookupVersionFile } from '../../domain/bundle/layout.js';
import { RowChunk } from '../../domain/columns/row-chunk.js';
import { PROFILE_QUANTILES } from '../../domain/data-quality/profile.js';
import { requestFields } from '../../domain/features/check-model.js';
import type { Fixing } from '../../domain/lookups/fixings.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import { SluiceError } from '../../platform/errors.js';
import type { LoadedModel } from '../../platform/models.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate } from '../../platform/validate.js';
import type { ModelAsPublished } from '../../stores/expert-files/read.js';
import { ensureTransactionIndexes } from '../../stores/transactions/indexes.js';
import { firstBooking } from '../../stores/transactions/window.js';
import { freshness, hashHeader, ingestionSummary, lineage } from './documents.js';
import { expectFixingsBefore, fixingsProfile, readFixings } from '../lookups/fixings.js';
import { SNAPSHOT_FILE, snapshotPrefix } from '../../stores/keys.js';
import { describeLookups, readyLookups } from '../lookups/ready.js';
import { FeatureSpool } from './feature-spool.js';
import { lookupsPass } from './lookups-pass.js';
import { completeSnapshot, digestOfFile, existingSnapshot, putOnce } from './publish.js';
import { readRows, snapshotFields } from './read-rows.js';
import { RowSpool, type PassOptions } from './row-spool.js';
import { Spool } from './spool.js';
import { tablePass } from './table-pass.js';
import { countWindow, lookupsWindow, snapshotWindow, type SnapshotWindow } from './window.js';

/** Rows may be imported while a snapshot reads; it then begins anew, but not forever. */
const ATTEMPTS = 3;
/** Rows that are in memory at once, and in one row group of the table: what reads the table takes as many at a time. */
const CHUNK_ROWS = 20_000;

export interface SnapshotDeps {
  db: Db;
  store: Pick<ObjectStore, 'get' | 'head' | 'putIfAbsent' | 'putFile' | 'endpoint' | 'bucket'>;
  /** of the running code, for the lineage; empty when unknown */
  gitSha: string;
  /** where the table grows before it goes to S3 */
  tempDir: string;
}

export interface Progress {
  stage: 'count' | 'read' | 'lookups' | 'features' | 'upload';
  fraction: number;
}

export interface SnapshotOptions {
  signal?: AbortSignal | undefined;
  onProgress: (progress: Progress) => void;
}

/**
 * Writes the immutable training snapshot of a model as of a time: the mature rows, read once in their order and kept on local disk meanwhile, gone
 * through for the lookups and then for the features, as Parquet in S3 with everything that explains it. The record goes last. The same rows, spec and
 * rates give the same id, and a complete snapshot with that id is returned as it is.
 */
export async function writeSnapshot(
  deps: SnapshotDeps,
  model: ModelAsPublished,
  asOf: string,
  how: SnapshotOptions,
): Promise<SnapshotRef> {
  await ensureTransactionIndexes(deps.db, model.spec.data);
  const directory = await mkdtemp(join(deps.tempDir, 'snapshot-'));
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const ref = await attemptSnapshot(deps, model, asOf, directory, how);
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
  model: ModelAsPublished,
  asOf: string,
  directory: string,
  how: SnapshotOptions,
): Promise<SnapshotRef | 'rows changed'> {
  const { db } = deps;
  const { data } = model.spec;
  how.onProgress({ stage: 'count', fraction: 0 });
  const window = await snapshotWindow(db, data, asOf);
  const fixings = await readFixings(db, data, window);
  await expectFixingsBeforeFirstRow(db, model, window, fixings);
  const spool = await Spool.create(join(directory, 'rows'));
  try {
    return await snapshotOf(deps, model, window, fixings, spool, join(directory, SNAPSHOT_FILE.table), how);
  } finally {
    await spool.close();
  }
}

async function snapshotOf(
  deps: SnapshotDeps,
  model: ModelAsPublished,
  window: SnapshotWindow,
  fixings: readonly Fixing[],
  spool: Spool,
  path: string,
  how: SnapshotOptions,
): Promise<SnapshotRef | 'rows changed'> {
  const { db, store } = deps;
  const { spec } = model;
  const during = (stage: Progress['stage']): PassOptions => ({
    signal: how.signal,
    onProgress: (fraction) => how.onProgress({ stage, fraction }),
  });
  const request = requestFields(model.requestSchema);
  const fields = snapshotFields(request, spec.data.fields);
  const names = fields.map(({ name }) => name);
  const header = hashHeader(model, window, fixings, names);
  const rows = new RowSpool(spool);
  const chunk = new RowChunk(fields, CHUNK_ROWS, spec.data.fields.id);
  const [read, rowsInWindow] = await Promise.all([
    readRows(db, model, window, request, header, chunk, rows, during('read')),
    countWindow(db, spec.data, window),
  ]);
  if (read.rows !== window.rows) return 'rows changed';

  const dataSnapshotId = `${window.from.slice(0, 10)}_${window.to.slice(0, 10)}_${read.contentSha256.slice(0, 12)}`;
  const prefix = snapshotPrefix(spec.model, dataSnapshotId);
  const existing = await existingSnapshot(store, prefix);
  if (existing !== null) return existing;

  const ready = readyLookups(model, fixings, window.asOf);
  const lookupRows = lookupsWindow(spec.data, window, read.testStartMs);
  const made = await lookupsPass(rows, chunk, model, lookupRows, ready.forTraining, during('lookups'));
  const built = Object.fromEntries(Object.entries(made).map(([name, { document }]) => [name, document]));
  const features = new FeatureSpool(
    spool,
    model.registry.features.map(({ name }) => name),
  );
  const all = { ...ready.forTraining, ...built };
  const table = await tablePass(
    rows,
    chunk,
    model,
    window,
    request,
    all,
    read.profile,
    features,
    path,
    during('features'),
  );

  how.onProgress({ stage: 'upload', fraction: 0 });
  const lookups = describeLookups(deps.gitSha, model, window.asOf, lookupRows, fixings, ready, made);
  const profile = read.profile.build({
    asOf: window.asOf,
    fixings: fixingsProfile(fixings, window),
    features: await features.quantiles(PROFILE_QUANTILES),
  });
  const tableDigest = await digestOfFile(path);
  await store.putFile(prefix + SNAPSHOT_FILE.table, path, 'application/vnd.apache.parquet');
  const ref: SnapshotRef = {
    dataSnapshotId,
    prefix,
    parquetKey: prefix + SNAPSHOT_FILE.table,
    contentSha256: read.contentSha256,
    asOf: window.asOf,
    from: window.from,
    to: window.to,
    ...table,
    featureRegistrySha256: model.registrySha256,
  };
  const small: Record<string, Buffer> = {
    [SNAPSHOT_FILE.registry]: model.registryBytes,
    [SNAPSHOT_FILE.fixings]: canonicalJson(fixings),
    [SNAPSHOT_FILE.profile]: readableJson(validate('data-profile', profile, SNAPSHOT_FILE.profile)),
    [SNAPSHOT_FILE.ingestion]: readableJson(ingestionSummary(model, window, rowsInWindow, ref, profile)),
    [SNAPSHOT_FILE.lineage]: readableJson(lineage(deps, model, window, ref, fixings, lookups, tableDigest)),
    [SNAPSHOT_FILE.freshness]: readableJson(freshness(model, ref, profile)),
  };
  for (const { file, bytes, record } of lookups) {
    small[`lookups/${file}`] = bytes;
    small[`lookups/${lookupVersionFile(file)}`] = readableJson(record);
  }
  const files: Parameters<typeof completeSnapshot>[2] = { [SNAPSHOT_FILE.table]: tableDigest };
  for (const [name, bytes] of Object.entries(small)) {
    how.signal?.throwIfAborted();
    files[name] = (await putOnce(store, prefix + name, bytes)).digest;
  }
  return completeSnapshot(store, ref, files);
}

async function expectFixingsBeforeFirstRow(
  db: Db,
  { spec: { data } }: LoadedModel,
  { filter }: SnapshotWindow,
  fixings: readonly Fixing[],
): Promise<void> {
  const first = await firstBooking(db, data, filter);
  if (first !== null) expectFixingsBefore(fixings, first);
}
