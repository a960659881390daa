import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Db } from 'mongodb';
import { canonicalJson, readableJson } from '../../domain/bundle/digest.js';
import { lookupVersionFile } from '../../domain/bundle/layout.js';
import { RowChunk } from '../../domain/columns/row-chunk.js';
import { PROFILE_QUANTILES, type ProfileBuilder } from '../../domain/data-quality/profile.js';
import { requestFields } from '../../domain/features/check-model.js';
import type { Fixing } from '../../domain/lookups/fixings.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate } from '../../platform/validate.js';
import type { DataProfile, ModelSpec } from '../../schemas/types.js';
import type { ModelAsPublished } from '../../stores/expert-files/read.js';
import { ensureTransactionIndexes } from '../../stores/transactions/indexes.js';
import { firstBooking } from '../../stores/transactions/window.js';
import { freshness, hashHeader, ingestionSummary, lineage } from './documents.js';
import { expectFixingsBefore, fixingsProfile, readFixings } from '../lookups/fixings.js';
import { SNAPSHOT_FILE, snapshotPrefix } from '../../stores/keys.js';
import { describeLookups, readyLookups, type Lookup } from '../lookups/ready.js';
import { FeatureSpool } from './feature-spool.js';
import type { HashRows } from './hash-rows.js';
import { lookupsPass } from './lookups-pass.js';
import { completeSnapshot, digestOfFile, existingSnapshot, putOnce } from './publish.js';
import { readRows, snapshotFields } from './read-rows.js';
import { RowSpool, timeAt, type PassOptions } from './row-spool.js';
import { Spool } from './spool.js';
import { tablePass, type TableResult } from './table-pass.js';
import { countMature, countWindow, lookupsWindow, snapshotWindow, splitsOf, type SnapshotWindow } from './window.js';

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
  hashRows: HashRows;
}

export interface Progress {
  stage: 'read' | 'lookups' | 'features' | 'upload';
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
  how.onProgress({ stage: 'read', fraction: 0 });
  const window = snapshotWindow(data, asOf);
  const first = await firstRow(db, data, window);
  const fixings = await readFixings(db, data, window);
  expectFixingsBefore(fixings, first);
  const spool = await Spool.create(join(directory, 'rows'));
  try {
    return await snapshotOf(deps, model, { window, fixings, spool, path: join(directory, SNAPSHOT_FILE.table) }, how);
  } finally {
    await spool.close();
  }
}

/** What an attempt works with. */
interface Attempt {
  window: SnapshotWindow;
  fixings: readonly Fixing[];
  spool: Spool;
  /** of the table */
  path: string;
}

async function snapshotOf(
  deps: SnapshotDeps,
  model: ModelAsPublished,
  attempt: Attempt,
  how: SnapshotOptions,
): Promise<SnapshotRef | 'rows changed'> {
  const { db, store } = deps;
  const { spec } = model;
  const { window, fixings } = attempt;
  const request = requestFields(model.requestSchema);
  const fields = snapshotFields(request, spec.data.fields);
  const names = fields.map(({ name }) => name);
  const rows = new RowSpool(attempt.spool);
  const chunk = new RowChunk(fields, CHUNK_ROWS, spec.data.fields.id);
  const profile = await readRows(db, model, window, request, chunk, rows, during('read', how));
  if (rows.rows === 0) return 'rows changed';

  const stop = new AbortController();
  const signal = AbortSignal.any([stop.signal, ...(how.signal === undefined ? [] : [how.signal])]);
  // MongoDB counts while nothing else is asked of it, and a thread hashes.
  const computing = Promise.all([
    computeTable(deps, model, attempt, rows, chunk, profile, { ...how, signal }),
    countMature(db, spec.data, window),
    countWindow(db, spec.data, window),
  ]);
  // A failure is met below; until then it must not count as unhandled.
  computing.catch(() => undefined);
  try {
    const header = hashHeader(model, window, rows.rows, fixings, names);
    const job = { header, path: rows.path, chunks: rows.chunks, fields, capacity: CHUNK_ROWS };
    const contentSha256 = await deps.hashRows(job, signal);
    const dataSnapshotId = `${window.from.slice(0, 10)}_${window.to.slice(0, 10)}_${contentSha256.slice(0, 12)}`;
    const prefix = snapshotPrefix(spec.model, dataSnapshotId);
    const existing = await existingSnapshot(store, prefix);
    if (existing !== null) return existing;

    const [computed, mature, inWindow] = await computing;
    if (mature !== rows.rows) return 'rows changed';
    how.onProgress({ stage: 'upload', fraction: 0 });
    const ref: SnapshotRef = {
      dataSnapshotId,
      prefix,
      parquetKey: prefix + SNAPSHOT_FILE.table,
      contentSha256,
      asOf: window.asOf,
      from: window.from,
      to: window.to,
      ...computed.table,
      featureRegistrySha256: model.registrySha256,
    };
    return await publish(deps, model, attempt, ref, computed, inWindow, how);
  } finally {
    stop.abort();
    await computing.catch(() => undefined);
  }
}

interface Computed {
  table: TableResult;
  lookups: Lookup[];
  profile: DataProfile;
}

/** The lookups, the table and the profile of rows that lie in a spool. */
async function computeTable(
  { gitSha }: SnapshotDeps,
  model: ModelAsPublished,
  { window, fixings, spool, path }: Attempt,
  rows: RowSpool,
  chunk: RowChunk,
  profile: ProfileBuilder,
  how: SnapshotOptions,
): Promise<Computed> {
  const { data } = model.spec;
  const splits = splitsOf(data, rows.rows);
  const testStartMs = await timeAt(rows, chunk, data.fields.time, Math.min(splits.testFrom, rows.rows - 1));
  const ready = readyLookups(model, fixings, window.asOf);
  const lookupRows = lookupsWindow(data, window, testStartMs);
  const made = await lookupsPass(rows, chunk, model, lookupRows, ready.forTraining, during('lookups', how));
  const built = Object.fromEntries(Object.entries(made).map(([name, { document }]) => [name, document]));
  const features = new FeatureSpool(
    spool,
    model.registry.features.map(({ name }) => name),
  );
  const table = await tablePass(
    rows,
    chunk,
    model,
    splits,
    requestFields(model.requestSchema),
    { ...ready.forTraining, ...built },
    profile,
    features,
    path,
    during('features', how),
  );
  return {
    table,
    lookups: describeLookups(gitSha, model, window.asOf, lookupRows, fixings, ready, made),
    profile: profile.build({
      asOf: window.asOf,
      fixings: fixingsProfile(fixings, window),
      features: await features.quantiles(PROFILE_QUANTILES),
    }),
  };
}

/** Stores the table, everything that explains it, and last the record. */
async function publish(
  deps: SnapshotDeps,
  model: ModelAsPublished,
  { window, fixings, path }: Attempt,
  ref: SnapshotRef,
  { lookups, profile }: Computed,
  rowsInWindow: number,
  { signal }: SnapshotOptions,
): Promise<SnapshotRef> {
  const { store } = deps;
  const [tableDigest] = await Promise.all([
    digestOfFile(path),
    store.putFile(ref.parquetKey, path, 'application/vnd.apache.parquet'),
  ]);
  const small: Record<string, Buffer> = {
    [SNAPSHOT_FILE.registry]: model.registryBytes,
    [SNAPSHOT_FILE.fixings]: canonicalJson(fixings),
    [SNAPSHOT_FILE.profile]: readableJson(validate('data-profile', profile, SNAPSHOT_FILE.profile)),
    [SNAPSHOT_FILE.ingestion]: readableJson(ingestionSummary(model, rowsInWindow, ref, profile)),
    [SNAPSHOT_FILE.lineage]: readableJson(lineage(deps, model, window, ref, fixings, lookups, tableDigest)),
    [SNAPSHOT_FILE.freshness]: readableJson(freshness(model, ref, profile)),
  };
  for (const { file, bytes, record } of lookups) {
    small[`lookups/${file}`] = bytes;
    small[`lookups/${lookupVersionFile(file)}`] = readableJson(record);
  }
  signal?.throwIfAborted();
  const stored = await Promise.all(
    Object.entries(small).map(async ([name, bytes]) => {
      const { digest } = await putOnce(store, ref.prefix + name, bytes);
      return [name, digest] as const;
    }),
  );
  return completeSnapshot(store, ref, { [SNAPSHOT_FILE.table]: tableDigest, ...Object.fromEntries(stored) });
}

function during(stage: Progress['stage'], { signal, onProgress }: SnapshotOptions): PassOptions {
  return { signal, onProgress: (fraction) => onProgress({ stage, fraction }) };
}

/** @throws SluiceError NoData when there is no row to take */
async function firstRow(db: Db, data: ModelSpec['data'], window: SnapshotWindow): Promise<Date> {
  const first = await firstBooking(db, data, window.filter);
  if (first !== null) return first;
  const all = await countWindow(db, data, window);
  throw new SluiceError(
    'NoData',
    `${data.collection} has no row between ${window.from} and ${window.to} whose label was known at ${window.asOf} (${all} rows in the window altogether). Import transactions, or choose an asOf that they reach.`,
  );
}
