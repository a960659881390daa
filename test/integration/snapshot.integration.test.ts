import { cp, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import type { Db } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { TrainingDataActivities } from '../../activities/training-data/contract.js';
import { importFixings } from '../../ingest/index.js';
import { hashRows } from '../../activities/training-data/hash-rows.js';
import { createTrainingDataActivities } from '../../activities/training-data/training-data.js';
import { readableJson } from '../../domain/bundle/digest.js';
import { BUNDLE_FILE, MANIFEST_FILE, MANIFEST_PAYLOAD_TYPE, SIGNATURE_FILE } from '../../domain/bundle/layout.js';
import { bundleKey } from '../../stores/keys.js';
import { buildManifest } from '../../domain/bundle/manifest.js';
import { signEnvelope } from '../../domain/dsse/dsse.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { modelReader } from '../../platform/models.js';
import { projectPath } from '../../platform/project.js';
import type { ArtifactVersion, CategoryStats } from '../../schemas/types.js';
import { testSigner } from '../support/live-tiny-bundle.js';
import { testMongo, testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

const AS_OF = '2025-06-30T00:00:00.000Z';
const MODEL = 'ulb_gbdt';
const VERSION = '20250630-000000-1.0.0-abcdef0';
const DAY_MS = 86_400_000;
const { signer, trustedKeys } = testSigner();

let servers: SharedServers;
let mongo: Mongo;
let store: ObjectStore;
let directory: string;
let modelsDir: string;
let db: Db;
let activities: TrainingDataActivities;
let serial = 0;

beforeAll(async () => {
  servers = await useServers(['mongo', 's3']);
  mongo = await testMongo(servers.env, 'snapshot_test');
  store = await testStore(servers.env);
  directory = await mkdtemp(join(tmpdir(), 'sluice-snapshot-'));
});
afterAll(async () => {
  await mongo?.close();
  store?.close();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  serial++;
  db = mongo.client.db(`snapshot_${serial}`);
  modelsDir = join(directory, `models-${serial}`);
  await cp(projectPath('models'), modelsDir, { recursive: true });
  activities = createTrainingDataActivities({
    db,
    store,
    models: modelReader(modelsDir),
    trustedKeys,
    log: pino({ level: 'silent' }),
    tempDir: directory,
    hashRows,
  });
  await importFixings(
    { db, modelsDir: projectPath('models') },
    { model: MODEL, file: projectPath('data', 'ecb_fixings.csv') },
  );
});

/** A row every ten minutes from 1 March to 20 May, one in twenty a fraud. */
async function insertRows(change: (row: Record<string, unknown>, index: number) => unknown = () => {}): Promise<void> {
  const rows = Array.from({ length: 11_520 }, (_, index) => {
    const bookedAt = new Date(Date.UTC(2025, 2, 1) + index * 600_000);
    const row: Record<string, unknown> = {
      transaction_id: `t${String(index).padStart(6, '0')}`,
      customer_id: `c${index % 97}`,
      booked_at: bookedAt,
      amount: 5 + ((index * 37) % 900) / 3,
      currency: ['USD', 'EUR', 'JPY'][index % 3],
      operation_type: ['Travel', 'grocery-pos', 'misc_net'][index % 3],
      merchant_name: `Merchant ${index % 13}`,
      is_fraud: index % 20 === 0 ? 1 : 0,
      labeled_at: new Date(bookedAt.getTime() + 30 * DAY_MS),
    };
    change(row, index);
    return row;
  });
  await db.collection('bank_transactions').insertMany(rows);
}

const run = <I, O>(
  activity: (input: I) => Promise<O>,
  input: I,
  environment = new MockActivityEnvironment(),
): Promise<O> => environment.run((value: I) => activity(value), input);
const snapshot = (environment?: MockActivityEnvironment): Promise<SnapshotRef> =>
  run(activities.snapshot.bind(activities), { model: MODEL, releaseId: 'test', asOf: AS_OF }, environment);
const validateData = (ref: SnapshotRef) =>
  run(activities.validateData.bind(activities), { model: MODEL, snapshot: ref });
const championFeatures = (ref: SnapshotRef, manifestSha256: string) =>
  run(activities.championFeatures.bind(activities), {
    model: MODEL,
    snapshot: ref,
    bundle: { version: VERSION, manifestSha256 },
    releaseId: `compare-${serial}`,
  });
const json = async <T>(key: string): Promise<T> => JSON.parse((await store.get(key))!.bytes.toString('utf8')) as T;
async function table(key: string): Promise<Record<string, unknown>[]> {
  const path = join(directory, `read-${serial}.parquet`);
  await store.getToFile(key, path);
  return parquetReadObjects({ file: await asyncBufferFromFile(path) });
}
async function editSpec(from: string, to: string): Promise<void> {
  const path = join(modelsDir, MODEL, 'model.yaml');
  const text = await readFile(path, 'utf8');
  expect(text).toContain(from);
  await writeFile(path, text.replace(from, to));
}

describe('snapshot', () => {
  it('describes itself: order, splits by time, lookups from before the held-out part, their records', async () => {
    await insertRows();
    const ref = await snapshot();
    const rows = await table(ref.parquetKey);
    expect(rows.length).toBe(ref.rows);
    expect(rows.map((row) => row['row_id'])).toEqual(rows.map((row) => row['row_id']).toSorted());
    expect(rows.map((row) => row['split'] as number)).toEqual(rows.map((row) => row['split'] as number).toSorted());
    expect(ref.splits).toEqual({
      train: rows.filter((row) => row['split'] === 0).length,
      validation: Math.floor(rows.length * 0.15),
      test: Math.floor(rows.length * 0.2),
    });
    expect(ref.positives).toBe(rows.filter((row) => row['label'] === 1).length);

    const testStart = new Date(Number(rows.find((row) => row['split'] === 2)!['booked_at'])).toISOString();
    const record = (file: string) => json<ArtifactVersion>(`${ref.prefix}lookups/${file}.version.json`);
    const stats = await record('category_stats');
    expect(stats).toMatchObject({ as_of: testStart, window: { to: testStart }, rows: ref.rows - ref.splits.test });
    expect(await record('fx_rates')).toMatchObject({ as_of: AS_OF });
    expect(await json(`${ref.prefix}ingestion_summary.json`)).toMatchObject({
      rows_used: ref.rows,
      rows_refused: 0,
      rows_in_window: 11_520,
    });
    // nothing of the work stays behind on disk
    expect((await readdir(directory)).filter((name) => name.startsWith('snapshot-'))).toEqual([]);
  });

  it('leaves refused rows out of the table and in the profile, and the data checks say why', async () => {
    await insertRows((row, index) => {
      if (index === 10) row['currency'] = 'ZZZ';
      if (index === 11) row['amount'] = 'twelve';
      if (index === 12) row['is_fraud'] = 2;
      if (index === 13) row['operation_type'] = 'nonsense';
    });
    const ref = await snapshot();
    expect((await table(ref.parquetKey)).map((row) => row['row_id'])).not.toContain('t000010');
    const { passed, checks } = await validateData(ref);
    expect(passed).toBe(false);
    const failed = Object.fromEntries(
      checks.filter((check) => !check.passed).map(({ name, message }) => [name, message]),
    );
    expect(Object.keys(failed).sort()).toEqual(['allowed.currency', 'missing.amount', 'refused', 'rows']);
    expect(failed['rows']).toBe('rows is 11520, 8480 below 20000');
    expect(failed['allowed.currency']).toContain('"ZZZ" × 1');
    expect(failed['refused']).toMatch(/most often: \/\w+ /);
    const profile = await json<{ refused: { count: number; examples: unknown[] } }>(`${ref.prefix}profile.json`);
    expect(profile.refused.count).toBe(3);
    expect(profile.refused.examples).toContainEqual({ row_id: 't000012', reason: '/is_fraud must be 0 or 1' });
  });

  it("gives the same id for other gates, and another when a lookup's rule or a rate changes", async () => {
    await insertRows();
    const first = await snapshot();
    await editSpec('metric: precision, min: 0.75', 'metric: precision, min: 0.5');
    expect((await snapshot()).dataSnapshotId).toBe(first.dataSnapshotId);
    await editSpec('min_count: 5', 'min_count: 6');
    const second = await snapshot();
    expect(second.dataSnapshotId).not.toBe(first.dataSnapshotId);
    await db.collection<{ _id: string }>('fx_fixings').updateOne({ _id: '2025-03-10' }, { $set: { 'rates.USD': 1.5 } });
    expect((await snapshot()).dataSnapshotId).not.toBe(second.dataSnapshotId);
  });

  it('of two at once, both give the same snapshot', async () => {
    await insertRows();
    const [a, b] = await Promise.all([snapshot(), snapshot()]);
    expect(a).toEqual(b);
    expect((await validateData(a)).checks.length).toBeGreaterThan(10);
  });

  it('begins anew when rows change while it reads', async () => {
    // Other rows than in the other tests: what is read is not yet a snapshot.
    await insertRows((row, index) => index === 0 && (row['amount'] = 78));
    const collection = db.collection('bank_transactions');
    const environment = new MockActivityEnvironment();
    let changed: Promise<unknown> | undefined;
    // A label is withdrawn when the rows were read, before they are counted.
    const countDocuments = vi.spyOn(Object.getPrototypeOf(collection) as typeof collection, 'countDocuments');
    countDocuments.mockImplementationOnce(async (filter) => {
      countDocuments.mockRestore();
      changed = collection.updateOne({ transaction_id: 't000001' }, { $set: { labeled_at: new Date('2025-07-30') } });
      await changed;
      return collection.countDocuments(filter);
    });
    const after = await snapshot(environment);
    expect(changed).toBeDefined();
    expect(after.rows).toBe(11_519);
  });

  it('notices a snapshot that is damaged', async () => {
    // other rows than in the other tests, whose snapshot has the same id and must stay whole
    await insertRows((row, index) => index === 0 && (row['amount'] = 77));
    const ref = await snapshot();
    const key = `${ref.prefix}profile.json`;
    const { etag } = (await store.head(key))!;
    expect(await store.putIfMatch(key, Buffer.from('{}'), etag)).toMatchObject({ outcome: 'swapped' });
    await expect(snapshot()).rejects.toMatchObject({
      type: 'IntegrityError',
      message: expect.stringMatching(/is damaged: profile\.json has 2 bytes instead of \d+/) as string,
    });
  });

  it('stops when it is cancelled, and leaves nothing half done', async () => {
    await insertRows();
    const environment = new MockActivityEnvironment();
    environment.on('heartbeat', () => environment.cancel('CANCELLED'));
    await expect(snapshot(environment)).rejects.toBeInstanceOf(CancelledFailure);
    expect((await readdir(directory)).filter((name) => name.startsWith('snapshot-'))).toEqual([]);
  });

  it.each<[string, string, () => Promise<unknown>, RegExp]>([
    [
      'no row is mature',
      'NoData',
      () => insertRows((row) => (row['labeled_at'] = new Date('2025-07-01'))),
      /has no row between .* whose label was known at 2025-06-30.*Import transactions/,
    ],
    [
      'there are no fixings',
      'NoData',
      () => Promise.all([insertRows(), db.collection('fx_fixings').deleteMany({})]),
      /fx_fixings has no fixing .*import-fixings/,
    ],
    [
      'fixings begin after the first booking',
      'InvalidInput',
      () =>
        Promise.all([
          insertRows(),
          db.collection<{ _id: string }>('fx_fixings').deleteMany({ _id: { $lt: '2025-03-03' } }),
        ]),
      /the oldest fixing is of 2025-03-03, and the first transaction was booked on 2025-03-01/,
    ],
  ])('says what to do when %s', async (_, type, given, message) => {
    await given();
    await expect(snapshot()).rejects.toMatchObject({
      type,
      message: expect.stringMatching(message) as string,
    });
  });

  it('knows no other models', async () => {
    await expect(
      run(activities.snapshot.bind(activities), { model: 'ghost', releaseId: 'x', asOf: AS_OF }),
    ).rejects.toMatchObject({
      type: 'UnknownModel',
    });
  });
});

describe('validateData', () => {
  it('fails when the profile is gone: nothing to look at is not a pass', async () => {
    await insertRows();
    const ref = await snapshot();
    await expect(validateData({ ...ref, prefix: `${ref.prefix}gone/` })).rejects.toMatchObject({
      type: 'IntegrityError',
    });
  });
});

describe('championFeatures', () => {
  /** A bundle with the snapshot's features and lookups, some of them changed. */
  async function publishBundle(ref: SnapshotRef, changed: Record<string, unknown> = {}): Promise<string> {
    const names = ['category_stats.json', 'merchant_freq_map.json', 'fx_rates.json', 'operation_type_synonyms.json'];
    const files = new Map<string, Buffer>([[BUNDLE_FILE.pipeline, Buffer.from('onnx')]]);
    files.set(BUNDLE_FILE.featureRegistry, (await store.get(`${ref.prefix}feature_registry.json`))!.bytes);
    for (const name of names) files.set(name, (await store.get(`${ref.prefix}lookups/${name}`))!.bytes);
    for (const [name, document] of Object.entries(changed)) files.set(name, readableJson(document));
    const { bytes, sha256 } = buildManifest(
      {
        model: MODEL,
        modelVersion: '1',
        version: VERSION,
        runId: 'run',
        gitSha: 'abcdef0',
        trainedAt: AS_OF,
        asOf: AS_OF,
        dataSnapshotId: ref.dataSnapshotId,
        metrics: {},
        parentVersion: null,
        releaseId: 'r',
      },
      files,
    );
    files.set(MANIFEST_FILE, bytes);
    files.set(SIGNATURE_FILE, readableJson(signEnvelope(MANIFEST_PAYLOAD_TYPE, bytes, signer)));
    for (const { key } of await store.list(bundleKey(MODEL, VERSION, ''))) {
      const { etag } = (await store.head(key))!;
      await store.putIfMatch(key, files.get(key.split('/').pop()!) ?? Buffer.from(''), etag);
    }
    for (const [name, content] of files)
      await store.putIfAbsent(bundleKey(MODEL, VERSION, name), content, 'application/json');
    return sha256;
  }

  it("gives the snapshot's own features for the same lookups, though the bundle's rates begin later than the rows", async () => {
    await insertRows();
    const ref = await snapshot();
    const heldOut = (await table(ref.parquetKey)).filter((row) => row['split'] === 2);
    const fxRates = await json<{ trailing: unknown[] }>(`${ref.prefix}lookups/fx_rates.json`);
    const { parquetKey } = await championFeatures(
      ref,
      await publishBundle(ref, { 'fx_rates.json': { ...fxRates, trailing: [] } }),
    );
    expect(parquetKey).toBe(`fraud/comparisons/compare-${serial}/${VERSION}.parquet`);
    const compared = await table(parquetKey);
    const withoutRaw = (row: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => !name.startsWith('raw.')));
    expect(compared).toEqual(heldOut.map(withoutRaw));
  });

  it("computes with the bundle's lookups", async () => {
    await insertRows();
    const ref = await snapshot();
    const stats = await json<CategoryStats>(`${ref.prefix}lookups/category_stats.json`);
    stats.categories['travel']!.p995 *= 2;
    const { parquetKey } = await championFeatures(ref, await publishBundle(ref, { 'category_stats.json': stats }));
    const before = (await table(ref.parquetKey)).filter((row) => row['split'] === 2);
    const after = await table(parquetKey);
    for (const [index, row] of after.entries()) {
      const factor = row['segment'] === 'travel' ? 0.5 : 1;
      expect(row['feature.amount_to_p995_cat']).toBe((before[index]!['feature.amount_to_p995_cat'] as number) * factor);
    }
  });

  it('believes nothing of a bundle that was changed', async () => {
    await insertRows();
    const ref = await snapshot();
    const sha256 = await publishBundle(ref);
    const key = bundleKey(MODEL, VERSION, 'category_stats.json');
    await store.putIfMatch(key, Buffer.from('{}'), (await store.head(key))!.etag);
    await expect(championFeatures(ref, sha256)).rejects.toThrow(/category_stats\.json has 2 bytes/);
    await expect(championFeatures(ref, '0'.repeat(64))).rejects.toThrow(/manifest\.json has digest/);
  });
});
