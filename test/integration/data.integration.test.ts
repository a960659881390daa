import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import type { Db } from 'mongodb';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { importText } from '../../client/commands/data.js';
import { importFixings, importTransactions } from '../../ingest/index.js';
import { hashRows } from '../../activities/training-data/hash-rows.js';
import { createTrainingDataActivities } from '../../activities/training-data/training-data.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import { loadSettings } from '../../platform/config.js';
import { mongoOf, objectStoreOf } from '../../platform/connect.js';
import { connectMongo, type Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { modelReader } from '../../platform/models.js';
import { projectPath } from '../../platform/project.js';
import { Cli } from '../support/cli.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

const MODEL = 'ulb_gbdt';
const DEPS = { modelsDir: projectPath('models') };
const HEADER = 'transaction_id,customer_id,booked_at,amount,currency,operation_type,merchant_name,is_fraud,labeled_at';
const DEMO = projectPath('data', 'bank_transactions_demo.csv.gz');
const FIXINGS = projectPath('data', 'ecb_fixings.csv');

let servers: SharedServers;
let mongo: Mongo;
let store: ObjectStore;
let directory: string;
let db: Db;
let serial = 0;

beforeAll(async () => {
  servers = await useServers(['mongo', 's3']);
  const settings = loadSettings({ TEMPORAL_ADDRESS: 'unused', MLFLOW_TRACKING_URI: 'unused', ...servers.env });
  mongo = await mongoOf(settings, 'test');
  store = objectStoreOf(settings);
  directory = await mkdtemp(join(tmpdir(), 'sluice-data-'));
});
afterAll(async () => {
  await mongo?.close();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => {
  db = mongo.client.db(`data_${(serial += 1)}`);
});

async function csv(...rows: string[]): Promise<string> {
  const file = join(directory, `${(serial += 1)}.csv`);
  await writeFile(file, [HEADER, ...rows, ''].join('\n'));
  return file;
}
const row = (id: string, change: Record<string, string> = {}): string => {
  const values: Record<string, string> = {
    transaction_id: id,
    customer_id: 'c1',
    booked_at: '2025-03-03T10:00:00Z',
    amount: '12.5',
    currency: 'EUR',
    operation_type: 'travel',
    merchant_name: 'Kuhn LLC',
    is_fraud: '0',
    labeled_at: '2025-04-02T10:00:00Z',
    ...change,
  };
  return HEADER.split(',')
    .map((name) => values[name])
    .join(',');
};

describe('the importers', () => {
  it('refuse a malformed row by its line and reason, and take the rest', async () => {
    await importFixings({ db, ...DEPS }, { model: MODEL, file: FIXINGS });
    const file = await csv(
      row('good'),
      row('text', { amount: 'abc' }),
      row('nan', { amount: 'NaN' }),
      row('unknown', { currency: 'ZZZ' }),
      row('month', { booked_at: '2025-13-03T10:00:00Z' }),
      row('label', { is_fraud: '2' }),
      row('short').slice(0, 30),
      row('open', { merchant_name: '"Kuhn' }),
      row('last'),
    );
    const summary = await importTransactions({ db, ...DEPS }, { model: MODEL, file });
    expect(summary).toMatchObject({ read: 9, inserted: 2, refused: { count: 7 } });
    expect(summary.refused.examples.map(({ line }) => line)).toEqual([3, 4, 5, 6, 7, 8, 9]);
    expect(summary.refused.examples[2]?.reason).toMatch(/^\/currency .*ZZZ/);
    expect(await db.collection('bank_transactions').distinct('transaction_id')).toEqual(['good', 'last']);
  });

  it('change nothing where a column is missing, and name it', async () => {
    await importFixings({ db, ...DEPS }, { model: MODEL, file: FIXINGS });
    const file = join(directory, 'narrow.csv');
    await writeFile(file, 'transaction_id,amount\nt1,5\n');
    await expect(importTransactions({ db, ...DEPS }, { model: MODEL, file })).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringMatching(/lacks the columns customer_id, .*Nothing was changed/),
    });
    expect(await db.collection('bank_transactions').countDocuments()).toBe(0);
  });

  it('are idempotent, update what differs, and move times only when asked', async () => {
    await importFixings({ db, ...DEPS }, { model: MODEL, file: FIXINGS });
    const file = await csv(row('a'), row('b'));
    expect(await importTransactions({ db, ...DEPS }, { model: MODEL, file })).toMatchObject({
      inserted: 2,
    });
    expect(await importTransactions({ db, ...DEPS }, { model: MODEL, file })).toMatchObject({
      inserted: 0,
      updated: 0,
      unchanged: 2,
    });
    expect(await importTransactions({ db, ...DEPS }, { model: MODEL, file, skipIfImported: true })).toMatchObject({
      skipped: true,
    });
    const changed = await csv(row('a', { amount: '13' }), row('b'));
    expect(await importTransactions({ db, ...DEPS }, { model: MODEL, file: changed })).toMatchObject({
      updated: 1,
      unchanged: 1,
    });
    await importTransactions({ db, ...DEPS }, { model: MODEL, file: changed, shiftDays: 7 });
    const document = await db.collection('bank_transactions').findOne({ transaction_id: 'b' });
    expect(document?.['booked_at']).toEqual(new Date('2025-03-10T10:00:00Z'));
  });

  it('leave rows alone that have been scored or have feedback, say so, and change them where asked', async () => {
    await importFixings({ db, ...DEPS }, { model: MODEL, file: FIXINGS });
    await importTransactions(
      { db, ...DEPS },
      { model: MODEL, file: await csv(row('scored'), row('told'), row('none')) },
    );
    await db.collection('prediction_log').insertOne({ transaction_id: 'scored', model: MODEL });
    await db.collection<{ _id: string }>('feedback_labels').insertOne({ _id: 'told' });
    const others = { amount: '99' };
    const file = await csv(row('scored', others), row('told', others), row('none', others), row('new'));
    const amounts = () =>
      db
        .collection('bank_transactions')
        .find({}, { sort: { transaction_id: 1 } })
        .map(({ transaction_id, amount }) => `${transaction_id} ${amount}`)
        .toArray();

    const summary = await importTransactions({ db, ...DEPS }, { model: MODEL, file });
    expect(summary).toMatchObject({ read: 4, inserted: 1, updated: 1, unchanged: 0 });
    expect(summary.kept).toEqual({ count: 2, examples: ['scored', 'told'] });
    expect(await amounts()).toEqual(['new 12.5', 'none 99', 'scored 12.5', 'told 12.5']);
    expect(importText(summary)).toMatch(/^2 rows kept as stored, .*: scored, told\. --replace updates them/m);

    const replaced = await importTransactions({ db, ...DEPS }, { model: MODEL, file, replace: true });
    expect(replaced).toMatchObject({ inserted: 0, updated: 2, unchanged: 2 });
    expect(replaced).not.toHaveProperty('kept');
    expect(await amounts()).toEqual(['new 12.5', 'none 99', 'scored 99', 'told 99']);
  });

  it('say of transactions that are younger than the rates what will be wanted', async () => {
    await importFixings({ db, ...DEPS }, { model: MODEL, file: FIXINGS });
    const times = { booked_at: '2025-09-03T10:00:00Z', labeled_at: '2025-10-03T10:00:00Z' };
    const late = await importTransactions({ db, ...DEPS }, { model: MODEL, file: await csv(row('late', times)) });
    expect(late.notices).toEqual([
      expect.stringMatching(/newest exchange rates are of 2025-0\d-\d\d, the newest transaction of 2025-09-03/),
    ]);
    const empty = await importTransactions({ db, ...DEPS }, { model: MODEL, file: await csv() });
    expect(empty.notices).toEqual(['the file has a header and no rows']);
    const early = await importTransactions({ db, ...DEPS }, { model: MODEL, file: await csv(row('early')) });
    expect(early).not.toHaveProperty('notices');
  });

  it('say that the fixings must come first', async () => {
    await expect(
      importTransactions({ db, ...DEPS }, { model: MODEL, file: await csv(row('a')) }),
    ).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringMatching(/fixings/),
    });
  });

  it('name a MongoDB that is not reachable, with its address and without its password', async () => {
    await expect(
      connectMongo({ uri: 'mongodb://u:hunter2@127.0.0.1:1/', database: 'x', serverSelectionTimeoutMs: 300 }),
    ).rejects.toMatchObject({ type: 'Unreachable', message: expect.stringMatching(/^(?!.*hunter2).*127\.0\.0\.1:1/) });
  });
});

describe('the command', () => {
  const cli = (): Cli =>
    new Cli(directory, {
      TEMPORAL_ADDRESS: 'unused',
      MLFLOW_TRACKING_URI: 'unused',
      ...servers.env,
      MONGODB_DATABASE: db.databaseName,
    });
  const stored = () => db.collection('bank_transactions').countDocuments();
  beforeEach(() => importFixings({ db, ...DEPS }, { model: MODEL, file: FIXINGS }));

  it('says how many rows of a damaged file were imported, and they were', async () => {
    const file = join(directory, 'cut.csv.gz');
    const whole = await readFile(DEMO);
    await writeFile(file, whole.subarray(0, whole.length / 20));
    const { exitCode, stderr } = await cli().run('data', 'import', file);
    expect(stderr).toMatch(/cannot be read after line \d+: unexpected end of file/);
    const [, said = ''] = /^([\d,]+) rows were imported before this/m.exec(stderr) ?? [];
    expect(Number(said.replaceAll(',', ''))).toBeGreaterThan(1000);
    expect(await stored()).toBe(Number(said.replaceAll(',', '')));
    expect(exitCode).toBe(2);
  });

  it('says which rows it has kept, and updates them with --replace', async () => {
    await cli().run('data', 'import', await csv(row('told')));
    await db.collection<{ _id: string }>('feedback_labels').insertOne({ _id: 'told' });
    const file = await csv(row('told', { amount: '99' }));
    expect((await cli().run('data', 'import', file)).stdout).toMatch(
      /^1 row: 0 new, 0 updated.*\n1 row kept as stored/,
    );
    expect((await cli().run('data', 'import', file, '--replace')).stdout).toBe(
      '1 row: 0 new, 1 updated, 0 unchanged, 0 rejected',
    );
  });

  it('stops at Ctrl-C, says how many rows it has imported, and goes on when it is run again', async () => {
    const running = cli().start('data', 'import', DEMO);
    // Once: one that its last line calls for may meet a process that is just ending, and end it by the signal.
    running.stdout.once('data', () => running.kill('SIGINT'));
    running.stdout.resume();
    const { exitCode, stdout } = await running;
    const [, said = ''] = /interrupted: ([\d,]+) rows imported/.exec(stdout) ?? [];
    expect(await stored()).toBe(Number(said.replaceAll(',', '')));
    expect(exitCode).toBe(130);
  });
});

describe('the snapshot', () => {
  const snapshot = (asOf: string): Promise<SnapshotRef> => {
    const activities = createTrainingDataActivities({
      db,
      store,
      models: modelReader(projectPath('models')),
      trustedKeys: new Map(),
      log: pino({ level: 'silent' }),
      hashRows,
    });
    const environment = new MockActivityEnvironment();
    return environment.run((input: Parameters<typeof activities.snapshot>[0]) => activities.snapshot(input), {
      model: 'ulb_gbdt',
      releaseId: 'test',
      asOf,
    });
  };

  it('holds mature rows only, is the same twice, and another when a row changes', async () => {
    await importFixings({ db, ...DEPS }, { model: MODEL, file: FIXINGS });
    await importTransactions({ db, ...DEPS }, { model: MODEL, file: DEMO });
    const asOf = '2025-06-30T00:00:00.000Z';
    const first = await snapshot(asOf);
    const mature = await db.collection('bank_transactions').countDocuments({
      booked_at: { $lte: new Date('2025-05-31T00:00:00Z') },
      labeled_at: { $lte: new Date(asOf) },
    });
    expect(first.rows).toBe(mature);
    expect(first.splits.train + first.splits.validation + first.splits.test).toBe(mature);
    expect(await snapshot(asOf)).toEqual(first);

    const keys = (await store.list(first.prefix)).map(({ key }) => key.slice(first.prefix.length));
    expect(keys).toEqual(
      expect.arrayContaining([
        'snapshot.parquet',
        'profile.json',
        'ingestion_summary.json',
        'data_lineage.json',
        'data_freshness.json',
        'lookups/fx_rates.json',
        'lookups/fx_rates.version.json',
      ]),
    );

    const one = await db
      .collection('bank_transactions')
      .findOne({ booked_at: { $lt: new Date('2025-05-01T00:00:00Z') } });
    await db
      .collection('bank_transactions')
      .updateOne({ transaction_id: one?.['transaction_id'] as string }, { $inc: { amount: 0.01 } });
    const changed = await snapshot(asOf);
    expect(changed.dataSnapshotId).not.toBe(first.dataSnapshotId);
    expect(changed.rows).toBe(first.rows);
  });
});
