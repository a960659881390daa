import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { execa } from 'execa';
import { Decimal128, Double, type Db, type Document } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RefreshActivities, RefreshInput } from '../../activities/refresh/contract.js';
import { createRowRefreshActivities } from '../../activities/refresh/refresh.js';
import { importFixings, importTransactions } from '../../ingest/index.js';
import { readFixings } from '../../activities/lookups/fixings.js';
import { readyLookups } from '../../activities/lookups/ready.js';
import { lookupsPass } from '../../activities/training-data/lookups-pass.js';
import { snapshotFields } from '../../activities/training-data/read-rows.js';
import { RowSpool } from '../../activities/training-data/row-spool.js';
import { Spool } from '../../activities/training-data/spool.js';
import {
  countMature,
  lookupsWindow,
  snapshotWindow,
  splitsOf,
  type LookupsWindow,
} from '../../activities/training-data/window.js';
import { RowChunk } from '../../domain/columns/row-chunk.js';
import { requestFields } from '../../domain/features/check-model.js';
import { runKey } from '../../domain/runs/key.js';
import type { RefreshedArtifact } from '../../domain/refresh/types.js';
import { loadModel, type LoadedModel } from '../../platform/models.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import { validate } from '../../platform/validate.js';
import { streamRows } from '../../stores/transactions/stream.js';
import type { ArtifactVersion, CategoryStats, MerchantFreqMap, Stats } from '../../schemas/types.js';
import { publishLookups } from '../support/live-lookups.js';
import { testSigner } from '../support/live-tiny-bundle.js';
import { testMongo, testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

const MODEL = 'ulb_gbdt';
const AS_OF = '2025-06-30T00:00:00.000Z';
const DAY_MS = 86_400_000;
const TRANSACTIONS = projectPath('data', 'bank_transactions_demo.csv.gz');
const FIXINGS = projectPath('data', 'ecb_fixings.csv');
const { signer, trustedKeys } = testSigner();

let servers: SharedServers;
let mongo: Mongo;
let store: ObjectStore;
let model: LoadedModel;
/** holds the demo's transactions */
let db: Db;
/** as a release leaves it: its lookups are of the window before the held-out part */
let live: RefreshInput['live'];
let liveLookups: Record<string, { document: unknown; asOf: string }>;
let serial = 0;

beforeAll(async () => {
  servers = await useServers(['mongo', 's3', 'python']);
  mongo = await testMongo(servers.env, 'refresh_demo');
  store = await testStore(servers.env);
  model = await loadModel(projectPath('models'), 'ulb_gbdt');
  db = mongo.db;
  await importFixings({ db, modelsDir: projectPath('models') }, { model: MODEL, file: FIXINGS });
  await importTransactions({ db, modelsDir: projectPath('models') }, { model: MODEL, file: TRANSACTIONS });
  const window = snapshotWindow(model.spec.data, AS_OF);
  const { testFrom } = splitsOf(model.spec.data, await countMature(db, model.spec.data, window));
  const [firstTestRow] = await db
    .collection('bank_transactions')
    .find(window.filter, { sort: window.sort, skip: testFrom, limit: 1 })
    .toArray();
  const beforeTest = lookupsWindow(model.spec.data, window, (firstTestRow!['booked_at'] as Date).getTime());
  const made = await snapshotLookups(beforeTest);
  const asOf = new Date(beforeTest.toMs).toISOString();
  liveLookups = {
    merchant_freq_map: { document: made['merchant_freq_map'], asOf },
    category_stats: { document: made['category_stats'], asOf },
    operation_type_synonyms: { document: model.staticLookups['operation_type_synonyms']!.document, asOf },
  };
  live = await publish(liveLookups);
});
afterAll(async () => {
  await mongo?.close();
  store?.close();
});

const publish = (lookups: typeof liveLookups) =>
  publishLookups(store, signer, model.spec, `20250630-00000${(serial += 1)}-1.0.0-abcdef0`, lookups);

/** What a snapshot makes of the rows of its lookups' window. */
async function snapshotLookups(window: LookupsWindow): Promise<Record<string, unknown>> {
  const { data } = model.spec;
  const [from, to] = [new Date(window.fromMs), new Date(window.toMs)];
  const fixings = await readFixings(db, data, { from: from.toISOString(), asOf: AS_OF });
  const ready = readyLookups(model, fixings, AS_OF).forTraining;
  const chunk = new RowChunk(snapshotFields(requestFields(model.requestSchema), data.fields), 20_000);
  const directory = await mkdtemp(join(tmpdir(), 'sluice-lookups-'));
  const spool = await Spool.create(join(directory, 'rows'));
  try {
    const rows = new RowSpool(spool);
    const filter = { booked_at: { $gte: from, $lt: to } };
    const selection = { filter, sort: { booked_at: 1, transaction_id: 1 } as const };
    await streamRows(db, data, selection, chunk, () => rows.write(chunk));
    const made = await lookupsPass(rows, chunk, model, window, ready, { onProgress: () => undefined });
    return Object.fromEntries(Object.entries(made).map(([name, { document }]) => [name, document]));
  } finally {
    await spool.close();
    await rm(directory, { recursive: true });
  }
}

type Job = 'refreshMerchantFrequency' | 'refreshCategoryStats';

async function refresh(
  job: Job,
  options: {
    asOf?: string;
    live?: RefreshInput['live'];
    db?: Db;
    store?: ObjectStore;
    model?: LoadedModel;
    environment?: MockActivityEnvironment;
  } = {},
): Promise<RefreshedArtifact[]> {
  const { asOf = AS_OF, environment = new MockActivityEnvironment() } = options;
  const activities: Pick<RefreshActivities, Job> = createRowRefreshActivities({
    db: options.db ?? db,
    store: options.store ?? store,
    trustedKeys,
    models: { load: () => Promise.resolve(options.model ?? model) },
    log: pino({ level: 'silent' }),
  });
  const input: RefreshInput = { model: 'ulb_gbdt', asOf, key: runKey(asOf), live: options.live ?? live };
  return environment.run((value: RefreshInput) => activities[job](value), input);
}

const stored = async <T>(key: string): Promise<T> => JSON.parse((await store.get(key))!.bytes.toString('utf8')) as T;
const keysOf = async (asOf: string): Promise<string[]> =>
  (await store.list(`fraud/refresh/ulb_gbdt/${runKey(asOf)}/`)).map(({ key }) => key);

/** Some rows of a few days in a database of their own, with fixings. */
async function smallDb(rows: Document[]): Promise<Db> {
  const small = mongo.client.db(`refresh_small_${(serial += 1)}`);
  await importFixings({ db: small, modelsDir: projectPath('models') }, { model: MODEL, file: FIXINGS });
  if (rows.length > 0) await small.collection('bank_transactions').insertMany(rows.map((row) => ({ ...row })));
  return small;
}
const goodRow = (index: number): Document => ({
  transaction_id: `t${index}`,
  booked_at: new Date(Date.UTC(2025, 5, 1) + index * 3_600_000),
  amount: new Double(10 + (index % 50)),
  currency: ['USD', 'EUR'][index % 2],
  operation_type: index % 100 === 0 ? 'travel' : 'Grocery-POS',
  merchant_name: `Merchant  ${index % 3}`,
});

describe('the demo’s last 90 days', () => {
  let merchants: RefreshedArtifact;
  let categories: RefreshedArtifact;

  it('give what pandas and numpy compute: exact counts, quantiles to 1e-9', async () => {
    [merchants] = (await refresh('refreshMerchantFrequency')) as [RefreshedArtifact];
    [categories] = (await refresh('refreshCategoryStats')) as [RefreshedArtifact];
    const { stdout } = await execa(servers.env['SLUICE_PYTHON']!, [
      projectPath('test', 'parity', 'refresh_pandas.py'),
      ...['--transactions', TRANSACTIONS, '--fixings', FIXINGS, '--as-of', AS_OF],
      ...['--synonyms', projectPath('models', 'ulb_gbdt', 'operation_type_synonyms.json')],
    ]);
    const pandas = JSON.parse(stdout) as Omit<CategoryStats, 'unit'> & Omit<MerchantFreqMap, 'floor'>;

    const frequencies = await stored<MerchantFreqMap>(merchants.objectKey);
    expect(frequencies).toEqual({ total: pandas.total, floor: 0, frequencies: pandas.frequencies });
    expect(frequencies.total).toBe(89_721);
    const stats = await stored<CategoryStats>(categories.objectKey);
    expect(stats.unit).toBe('USD');
    expect(Object.keys(stats.categories).sort()).toEqual(Object.keys(pandas.categories).sort());
    const close = (own: Stats, theirs: Stats, name: string): void => {
      expect(own.count).toBe(theirs.count);
      for (const figure of ['median', 'iqr', 'p995'] as const)
        expect(Math.abs(own[figure] / theirs[figure] - 1), `${name} ${figure}`).toBeLessThan(1e-9);
    };
    close(stats.overall, pandas.overall, 'overall');
    for (const [name, own] of Object.entries(stats.categories)) close(own, pandas.categories[name]!, name);
  });

  it('give what a snapshot’s own pass makes of the same rows', async () => {
    const made = await snapshotLookups({ fromMs: Date.parse(AS_OF) - 90 * DAY_MS, toMs: Date.parse(AS_OF) });
    expect(await stored(merchants.objectKey)).toEqual(made['merchant_freq_map']);
    expect(await stored(categories.objectKey)).toEqual(made['category_stats']);
  });

  it('are described, within tolerance of what a release made, and in fraud_params', async () => {
    const record = validate('artifact-version', await stored(categories.versionKey));
    expect(record).toMatchObject({
      artifact: 'category_stats',
      version: categories.version,
      sha256: categories.sha256,
      as_of: AS_OF,
      window: { from: '2025-04-01T00:00:00.000Z', to: AS_OF },
      rows: 89_721,
      inputs: { collection: 'bank_transactions', fixings: 'fx_fixings', newest_fixing: '2025-06-27' },
    });
    // Nothing is converted to count merchants.
    expect(validate('artifact-version', await stored(merchants.versionKey)).inputs).toEqual({
      collection: 'bank_transactions',
      bundle: record.inputs['bundle'],
    });
    for (const artifact of [merchants, categories]) {
      expect(artifact).toMatchObject({ asOf: AS_OF, rows: 89_721, state: 'changed', notes: [] });
      expect(artifact.checks.map(({ name, passed }) => [name, passed])).toEqual([
        ['refused_rows', true],
        ['size_change', true],
        ['changed_keys', true],
        ['largest_move', true],
      ]);
    }
    const stats = await stored<CategoryStats>(categories.objectKey);
    const params = await db.collection<{ _id: string }>('fraud_params').find().toArray();
    expect(params).toHaveLength(1);
    expect(validate('fraud-params', params[0])).toMatchObject({
      _id: `ulb_gbdt/category_stats/${categories.version}`,
      overall: stats.overall,
      categories: Object.entries(stats.categories).map(([category, figures]) => ({ category, ...figures })),
      sha256: categories.sha256,
      as_of: AS_OF,
    });
  });

  it('are made once: another run answers with what lies there, whatever was imported since', async () => {
    const before = await keysOf(AS_OF);
    const late = { ...goodRow(1), transaction_id: 'late', labeled_at: new Date(AS_OF) };
    await db.collection('bank_transactions').insertOne(late);
    await db.collection('fraud_params').deleteMany({});
    try {
      expect(await refresh('refreshMerchantFrequency')).toEqual([merchants]);
      expect(await refresh('refreshCategoryStats')).toEqual([categories]);
    } finally {
      await db.collection('bank_transactions').deleteOne({ transaction_id: 'late' });
    }
    expect(await keysOf(AS_OF)).toEqual(before);
    expect(before).toHaveLength(6);
    // A worker killed before it wrote to Mongo does so when it comes back.
    expect(await db.collection('fraud_params').countDocuments()).toBe(1);
  });

  it('are unchanged once they are live, and older than what was made as of a later day', async () => {
    const now = { document: await stored(merchants.objectKey), asOf: AS_OF };
    const same = await publish({ ...liveLookups, merchant_freq_map: now });
    expect(await refresh('refreshMerchantFrequency', { live: same })).toEqual([{ ...merchants, state: 'unchanged' }]);
    const asOf = '2025-07-01T00:00:00.000Z';
    const newer = await publish({ ...liveLookups, merchant_freq_map: { ...liveLookups['merchant_freq_map']!, asOf } });
    expect(await refresh('refreshMerchantFrequency', { live: newer })).toEqual([{ ...merchants, state: 'older' }]);
  });

  it.each([0, 1, 2])(
    'a worker that dies after %i writes leaves one version, the same in every object',
    async (writes) => {
      const asOf = `2025-06-2${writes}T00:00:00.000Z`;
      let left = writes;
      const dying: ObjectStore = {
        ...store,
        putIfAbsent: (key, bytes, type) =>
          left-- > 0 ? store.putIfAbsent(key, bytes, type) : Promise.reject(new Error('killed')),
      };
      await expect(refresh('refreshCategoryStats', { asOf, store: dying })).rejects.toThrow('killed');
      expect(await keysOf(asOf)).toHaveLength(writes);
      // In between, rows change: what was decided before stands.
      const late = { ...goodRow(1), transaction_id: 'late', labeled_at: new Date(AS_OF) };
      await db.collection('bank_transactions').insertOne(late);
      try {
        const [made] = (await refresh('refreshCategoryStats', { asOf })) as [RefreshedArtifact];
        const [again] = (await refresh('refreshCategoryStats', { asOf })) as [RefreshedArtifact];
        expect(again).toEqual(made);
        const record = await stored<ArtifactVersion>(made.versionKey);
        const { overall } = await stored<CategoryStats>(made.objectKey);
        expect(overall.count).toBe(record.rows);
        const without = await db.collection('bank_transactions').countDocuments({
          booked_at: { $gte: new Date(Date.parse(asOf) - 90 * DAY_MS), $lt: new Date(asOf) },
          transaction_id: { $ne: 'late' },
        });
        expect(record.rows - without).toBe(writes === 0 ? 1 : 0);
        expect(await keysOf(asOf)).toHaveLength(3);
        expect(await db.collection<{ _id: string }>('fraud_params').countDocuments({ as_of: asOf })).toBe(1);
      } finally {
        await db.collection('bank_transactions').deleteOne({ transaction_id: 'late' });
      }
    },
  );

  it('stop when the job is cancelled, and write nothing', async () => {
    const environment = new MockActivityEnvironment();
    const asOf = '2025-06-15T00:00:00.000Z';
    const running = refresh('refreshCategoryStats', { asOf, environment });
    environment.cancel();
    await expect(running).rejects.toBeInstanceOf(CancelledFailure);
    expect(await keysOf(asOf)).toEqual([]);
  });
});

describe('rows that cannot be used', () => {
  const bad: [Record<string, unknown>, string][] = [
    [{ amount: NaN }, '/amount must be a finite number, not "NaN"'],
    [{ amount: Decimal128.fromString('12.5') }, '/amount must be a finite number, not "12.5"'],
    [{ amount: '99' }, '/amount must be a finite number, not "99"'],
    [{ amount: -1 }, '/amount is below 0'],
    [{ amount: null }, '/amount is missing'],
    [{ currency: 'XXX' }, '/currency "XXX" is not among the allowed values'],
    [{ operation_type: ['a', 'b'] }, '/operation_type must be a string'],
  ];

  it('are left out, counted by reason, and hold the artifact when they are many', async () => {
    const rows = Array.from({ length: 400 }, (_, index) => goodRow(index));
    const small = await smallDb([
      ...rows,
      ...bad.map(([change], index) => ({ ...goodRow(index), transaction_id: `bad${index}`, ...change })),
      { ...goodRow(1), transaction_id: 'unknown', operation_type: 'never heard of', merchant_name: null },
    ]);
    const first = await publish({});
    const asOf = '2025-06-30T01:00:00.000Z';
    const [merchants] = (await refresh('refreshMerchantFrequency', { asOf, db: small, live: first })) as [
      RefreshedArtifact,
    ];
    const [categories] = (await refresh('refreshCategoryStats', { asOf, db: small, live: first })) as [
      RefreshedArtifact,
    ];
    // A merchant is counted, whatever was paid there.
    for (const [artifact, reasons] of [
      [merchants, []],
      [categories, bad],
    ] as const) {
      const refused = reasons.length;
      expect(artifact.rows).toBe(408 - refused);
      expect(artifact.state).toBe('changed');
      expect(artifact.checks).toEqual([
        {
          name: 'refused_rows',
          passed: refused === 0,
          observed: refused / 408,
          required: '≤ 0.001',
          message: expect.stringContaining(`(${refused} of 408 rows could not be used)`) as string,
        },
      ]);
      expect(artifact.notes).toEqual([
        ...reasons.map(([, reason]) => `1 row left out: ${reason}`).sort(),
        `bundle ${first.version} has no ${artifact.lookup} yet: there is nothing to compare with`,
      ]);
    }
    const { total, frequencies } = await stored<MerchantFreqMap>(merchants.objectKey);
    expect([total, Object.keys(frequencies)]).toEqual([408, ['merchant 0', 'merchant 1', 'merchant 2']]);
    const { overall, categories: made } = await stored<CategoryStats>(categories.objectKey);
    expect(Object.keys(made)).toEqual(['grocery_pos', 'travel']);
    // Four rows of travel are fewer than min_rows.
    expect(made['travel']).toEqual({ ...overall, count: 4 });
    expect(overall.count).toBe(401);
  });

  it('fail the job when there are no others, and so does an empty window', async () => {
    const small = await smallDb([{ ...goodRow(1), amount: NaN }]);
    const asOf = '2025-06-29T02:00:00.000Z';
    await expect(refresh('refreshCategoryStats', { asOf, db: small })).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining(
        'none of the 1 rows of bank_transactions between 2025-03-31T02:00:00.000Z and',
      ) as string,
    });
    await expect(refresh('refreshMerchantFrequency', { asOf: '2031-01-01T00:00:00.000Z' })).rejects.toMatchObject({
      type: 'NoData',
      message:
        'bank_transactions has no row between 2030-10-03T00:00:00.000Z and 2031-01-01T00:00:00.000Z. Import transactions, or choose an asOf that they reach.',
    });
    expect(await keysOf(asOf)).toEqual([]);
  });
});
