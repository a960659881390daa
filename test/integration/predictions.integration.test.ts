import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Db } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { importLabels } from '../../ingest/index.js';
import { recordLabels, type Label } from '../../stores/labels.js';
import { streamPredictions, type PredictionWindow, type StreamedPrediction } from '../../stores/predictions/stream.js';
import { replay } from '../../client/score/replay.js';
import { createScorerClient } from '../../client/score/scorer-client.js';
import type { FeedbackLabel, Prediction } from '../../domain/predictions/types.js';
import { loadSigner } from '../../platform/keys.js';
import { loadModel } from '../../platform/models.js';
import type { Mongo } from '../../platform/mongo.js';
import { COLLECTIONS, createIndexes, openCollection } from '../../stores/collections.js';
import type { ApiError, FeedbackRecorded, Health, Metadata, ScoreResponse } from '../../scoring/serving/api-schemas.js';
import { writePredictions } from '../../scoring/prediction-log/write.js';
import { ensureBuilt } from '../support/build.js';
import { Cli } from '../support/cli.js';
import { startScorerProcess, type ScorerProcess } from '../support/scorer-process.js';
import { testMongo } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js';
import { makeTinyBundle, TINY_MODEL, tinyRegistry, tinyTransaction, writeTinyModel } from '../support/tiny-bundle.js';

// The prediction log and the labels against a real MongoDB, through a scorer of its own process whose line to it can be cut.
const ADMIN = 'prediction-admin-token';
const DATABASE = 'predictions';
const DAY_MS = 86_400_000;
let servers: SharedServers;
let mongo: Mongo;
let db: Db;
let line: TcpProxy;
let directory = '';
let modelsDir = '';
const running: ScorerProcess[] = [];
let scorer: ScorerProcess;

beforeAll(async () => {
  [servers] = await Promise.all([useServers(['mongo']), ensureBuilt()]);
  mongo = await testMongo(servers.env, DATABASE);
  db = mongo.db;
  const port = Number(/:(\d+)/.exec((servers.env['MONGODB_URI'] ?? '').replace('mongodb://', ''))?.[1]);
  line = await startTcpProxy({ host: '127.0.0.1', port });
  directory = await mkdtemp(join(tmpdir(), 'sluice-predictions-'));
  modelsDir = await mkdtemp(join(tmpdir(), 'sluice-models-'));
  writeTinyModel(modelsDir);
  const bundle = await makeTinyBundle({
    signer: await loadSigner(servers.env['SLUICE_SIGNING_KEY_FILE'] ?? ''),
    patch: 4,
  });
  await Promise.all([...bundle.files].map(([name, bytes]) => writeFile(join(directory, name), bytes)));
  scorer = await start();
});

afterAll(async () => {
  for (const process of running) process.signal('SIGKILL');
  await Promise.all(running.map(({ exited }) => exited));
  await line?.cut();
  await mongo?.close();
  for (const path of [directory, modelsDir]) if (path !== '') await rm(path, { recursive: true, force: true });
});

async function start(overrides: Record<string, string> = {}): Promise<ScorerProcess> {
  const process = await startScorerProcess({
    SCORER_MODEL: TINY_MODEL,
    SLUICE_MODELS_DIR: modelsDir,
    SCORER_REPLICA_ID: 'r-log',
    ARTIFACTS_DIR: directory,
    SLUICE_TRUSTED_KEYS_FILE: servers.env['SLUICE_TRUSTED_KEYS_FILE'] ?? '',
    SLUICE_ADMIN_TOKEN: ADMIN,
    MONGODB_URI: `mongodb://127.0.0.1:${line.port}/?directConnection=true`,
    MONGODB_DATABASE: DATABASE,
    SCORER_PREDICTION_RETENTION_DAYS: '90',
    ...overrides,
  });
  running.push(process);
  return process;
}

async function score(to: ScorerProcess, body: unknown, requestId?: string): Promise<ScoreResponse> {
  const response = await fetch(`${to.address}/v1/score`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(requestId === undefined ? {} : { 'x-request-id': requestId }) },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(200);
  return (await response.json()) as ScoreResponse;
}
const health = async (of: ScorerProcess) => (await (await fetch(`${of.address}/v1/health`)).json()) as Health;
const counters = async (of: ScorerProcess) => {
  const { prediction_log } = await health(of);
  if (prediction_log === null) throw new Error('the prediction log is off');
  return prediction_log;
};
/** until nothing waits */
const logged = (by: ScorerProcess) =>
  vi.waitFor(async () => expect((await counters(by)).pending).toBe(0), { timeout: 30_000, interval: 50 });
const ofRequest = (id: string) =>
  openCollection(db, COLLECTIONS.predictions).find({ request_id: id }).sort({ _id: 1 }).toArray();
const transaction = (id: string, change: object = {}) => ({ ...tinyTransaction, transaction_id: id, ...change });

async function feedback(
  body: unknown,
  token = ADMIN,
): Promise<{ status: number; headers: Headers; body: FeedbackRecorded & ApiError }> {
  const response = await fetch(`${scorer.address}/v1/feedback`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as FeedbackRecorded & ApiError,
  };
}

describe('the prediction log', () => {
  it('holds what was answered, with the features and versions behind it, which the answer does not tell', async () => {
    const list = [transaction('t-a'), transaction('t-b', { amount: 4_000, operation_type: 'unheard of' })];
    const { results, versions } = await score(scorer, list, 'req-1');
    await logged(scorer);
    const stored = await ofRequest('req-1');
    expect(stored.map(({ _id }) => _id)).toEqual(['req-1/0', 'req-1/1']);
    for (const [index, document] of stored.entries()) {
      const { transaction_id, score, calibrated_probability, anomaly_score, decision, threshold } = results[index]!;
      const { model, model_version, bundle_version, manifest_sha256, thresholds_sha256 } = versions;
      expect(document).toMatchObject({
        ...{ transaction_id, score, calibrated_probability, anomaly_score, decision, threshold },
        ...{ model, model_version, bundle_version, manifest_sha256, thresholds_sha256, generation: null },
        ...{ arm: 'champion', environment: 'production', replica: 'r-log', customer_id: 'c-1', input: list[index] },
        booked_at: new Date(tinyTransaction.booked_at),
      });
      expect(Object.keys(document.features)).toEqual(tinyRegistry.features.map(({ name }) => name));
      expect(Math.abs(Date.now() - document.scored_at.getTime())).toBeLessThan(60_000);
    }
    expect(stored.map(({ segment }) => segment)).toEqual(['card', null]);
    expect(stored[0]?.features['hour']).toBe(10);
    expect(stored[0]?.features['log_amount']).toBeCloseTo(Math.log1p(120.5 * 1.15), 5);
    expect(results[0]).not.toHaveProperty('features');
    expect(results[0]).not.toHaveProperty('segment');
    const metadata = (await (await fetch(`${scorer.address}/v1/metadata`)).json()) as Metadata;
    expect(metadata.prediction_log).toMatchObject({ dropped: 0, pending: 0 });
    const ageDays = Math.floor((Date.now() - Date.parse('2025-06-19T00:00:00Z')) / DAY_MS);
    expect(metadata.fx).toEqual({ last_updated: '2025-06-19T14:00:00Z', fixing_date: '2025-06-19', age_days: ageDays });
  });

  it('is deleted by MongoDB after the retention, whose change takes effect', async () => {
    const ttl = async () =>
      (await openCollection(db, COLLECTIONS.predictions).indexes()).find(({ key }) => 'scored_at' in key)
        ?.expireAfterSeconds;
    expect(await ttl()).toBe(90 * 86_400);
    await createIndexes(db, COLLECTIONS.predictions, { retentionDays: 30 });
    expect(await ttl()).toBe(30 * 86_400);
    await createIndexes(db, COLLECTIONS.predictions, { retentionDays: 30 });
  });

  it('has a repeated request once, and another one under the same id as well', async () => {
    await score(scorer, transaction('t-1'), 'again');
    await logged(scorer);
    await score(scorer, transaction('t-1'), 'again');
    await score(scorer, [transaction('t-2'), transaction('t-3')], 'again');
    await logged(scorer);
    await score(scorer, [transaction('t-2'), transaction('t-3')], 'again');
    await logged(scorer);
    const stored = await ofRequest('again');
    expect(stored.map(({ transaction_id }) => transaction_id).sort()).toEqual(['t-1', 't-2', 't-3']);
    expect((await counters(scorer)).dropped).toBe(0);
  });

  it('a batch that is written twice is there once, and one impossible document keeps no other out', async () => {
    const [model] = await ofRequest('req-1');
    const document = (id: string, change: Partial<Prediction> = {}): Prediction => ({
      ...model!,
      _id: id,
      request_id: 'w',
      ...change,
    });
    const batch = [document('w/0'), document('w/1', { input: { 'nul\0l': 1 } }), document('w/2')];
    expect(await writePredictions(db, batch)).toMatchObject({
      written: 2,
      refused: 1,
      reason: expect.stringMatching(/^w\/1: /),
    });
    expect(await writePredictions(db, batch)).toMatchObject({ written: 2, refused: 1 });
    expect((await ofRequest('w')).map(({ _id }) => _id)).toEqual(['w/0', 'w/2']);
  });

  it('waits for a database that is away while answers go on, and loses nothing within its bounds', async () => {
    const before = await counters(scorer);
    await line.cut();
    for (let index = 0; index < 8; index++)
      await score(scorer, [transaction(`away-${index}`), transaction(`away-${index}b`)], `away-${index}`);
    const away = await vi.waitFor(
      async () => {
        const now = await health(scorer);
        expect(now.notices.join()).toMatch(/prediction log cannot be written \(16 wait\)/);
        return now;
      },
      { timeout: 30_000, interval: 100 },
    );
    expect(away).toMatchObject({ status: 'ready', prediction_log: { pending: 16, written: before.written } });
    expect(away.prediction_log?.failed_batches).toBeGreaterThan(before.failed_batches);
    await line.restore();
    await logged(scorer);
    expect(await openCollection(db, COLLECTIONS.predictions).countDocuments({ request_id: /^away-/ })).toBe(16);
    expect(await health(scorer)).toMatchObject({
      notices: [],
      prediction_log: { written: before.written + 16, dropped: 0 },
    });
  });

  it('beyond its bounds the oldest go, and a shutdown writes the rest', async () => {
    const small = await start({ SCORER_REPLICA_ID: 'r-small', SCORER_PREDICTION_MAX_ROWS: '6' });
    await line.cut();
    for (let index = 0; index < 9; index++) await score(small, transaction(`full-${index}`), `full-${index}`);
    const full = await health(small);
    expect(full.prediction_log).toMatchObject({ written: 0, pending: 6, dropped: 3 });
    expect(full.notices.join()).toMatch(/predictions are being dropped from the log: 3/);
    await line.restore();
    await logged(small);
    const rest = await openCollection(db, COLLECTIONS.predictions)
      .find({ request_id: /^full-/ })
      .sort({ _id: 1 })
      .toArray();
    // Those that were just being tried stay, all six of them on a slow machine: which three went depends on the moment.
    expect(rest).toHaveLength(6);
    expect(await counters(small)).toMatchObject({ written: 6, dropped: 3, pending: 0 });

    await Promise.all([0, 1, 2, 3].map((index) => score(small, transaction(`last-${index}`), `last-${index}`)));
    small.signal('SIGTERM');
    expect(await small.exited).toBe(0);
    expect(await openCollection(db, COLLECTIONS.predictions).countDocuments({ request_id: /^last-/ })).toBe(4);
  });
});

describe('POST /v1/feedback', () => {
  const label = (id: string, at: string, is_fraud = true, more: object = {}) => ({
    transaction_id: id,
    is_fraud,
    labeled_at: at,
    ...more,
  });
  const of = (id: string) => db.collection<FeedbackLabel>(COLLECTIONS.feedback.name).findOne({ _id: id });

  it('keeps the latest label of a transaction, and the transaction follows', async () => {
    const own = db.collection('bank_transactions');
    await own.insertMany([
      {
        transaction_id: 'f-1',
        booked_at: new Date('2025-06-01T00:00:00Z'),
        is_fraud: 0,
        labeled_at: new Date('2025-07-01T00:00:00Z'),
      },
      {
        transaction_id: 'f-2',
        booked_at: new Date('2025-06-01T00:00:00Z'),
        is_fraud: 0,
        labeled_at: new Date('2025-07-20T00:00:00Z'),
      },
    ]);
    const first = await feedback([
      label('f-1', '2025-07-02T00:00:00Z', true, { source: 'chargebacks' }),
      label('f-2', '2025-07-02T00:00:00Z'),
      label('f-3', '2025-07-02T00:00:00Z'),
    ]);
    expect(first).toMatchObject({
      status: 200,
      body: {
        recorded: 3,
        unchanged: 0,
        older: 0,
        transactions_updated: 1,
        unknown_transactions: 1,
        unknown_ids: ['f-3'],
      },
    });
    expect(await of('f-1')).toMatchObject({ is_fraud: true, source: 'chargebacks', actor: 'api of r-log' });
    expect(await own.findOne({ transaction_id: 'f-1' })).toMatchObject({
      is_fraud: 1,
      labeled_at: new Date('2025-07-02T00:00:00Z'),
    });
    // Its own label is the later one.
    expect(await own.findOne({ transaction_id: 'f-2' })).toMatchObject({ is_fraud: 0 });

    const second = await feedback([
      label('f-1', '2025-07-02T02:00:00+02:00'),
      label('f-2', '2025-07-01T00:00:00Z', false),
      label('f-3', '2025-07-03T00:00:00Z', false),
    ]);
    expect(second.body).toMatchObject({
      recorded: 1,
      unchanged: 1,
      older: 1,
      transactions_updated: 0,
      unknown_transactions: 1,
    });
    expect(await of('f-2')).toMatchObject({ is_fraud: true });
    expect(await of('f-3')).toMatchObject({ is_fraud: false, source: 'api' });

    const twice = await feedback([label('f-4', '2025-07-03T00:00:00Z', false), label('f-4', '2025-07-02T00:00:00Z')]);
    expect(twice.body).toMatchObject({ recorded: 1, older: 1 });
    expect(await of('f-4')).toMatchObject({ is_fraud: false });
    expect(await feedback(label('f-1', '2025-08-01T00:00:00Z', false))).toMatchObject({
      body: { recorded: 1, transactions_updated: 1 },
    });
  });

  it('refuses all of a list for one bad label, by its path', async () => {
    const refused = await feedback([
      label('g-1', '2025-07-02T00:00:00Z'),
      label('g-2', '2125-07-02T00:00:00Z'),
      label('f-1', '2025-05-31T00:00:00Z'),
      // known from the prediction log only
      label('t-a', '2025-06-20T09:59:59Z'),
    ]);
    expect(refused.status).toBe(422);
    expect(refused.body.error.violations).toEqual([
      { path: '/1/labeled_at', message: 'must not lie in the future' },
      { path: '/2/labeled_at', message: 'must not lie before the transaction was booked' },
      { path: '/3/labeled_at', message: 'must not lie before the transaction was booked' },
    ]);
    expect(await of('g-1')).toBeNull();
    const shapes = await feedback([
      { ...label('', '2025-07-02'), is_fraud: 1, colour: 'red' },
      7,
      { transaction_id: 'x' },
    ]);
    expect(shapes.status).toBe(422);
    expect(shapes.body.error.violations?.map(({ path }) => path).sort()).toEqual(
      ['/0/transaction_id', '/0/is_fraud', '/0/labeled_at', '/0/colour', '/1', '/2/is_fraud', '/2/labeled_at'].sort(),
    );
    expect((await feedback([])).status).toBe(400);
    expect(
      (await feedback(Array.from({ length: 1_001 }, (_, i) => label(`m-${i}`, '2025-07-02T00:00:00Z')))).status,
    ).toBe(400);
    expect((await feedback(label('g-1', '2025-07-02T00:00:00Z'), 'wrong')).status).toBe(401);
  });

  it('two at once are both recorded, the later label wins; a database that is away is 503 and nothing is recorded', async () => {
    const labels = (at: string, is_fraud: boolean) =>
      Array.from({ length: 300 }, (_, i) => label(`p-${i}`, at, is_fraud));
    const both = await Promise.all([
      feedback(labels('2025-07-02T00:00:00Z', true)),
      feedback(labels('2025-07-03T00:00:00Z', false)),
    ]);
    expect(both.map(({ status }) => status)).toEqual([200, 200]);
    expect(
      await db.collection(COLLECTIONS.feedback.name).countDocuments({ _id: /^p-/ as never, is_fraud: false }),
    ).toBe(300);

    await line.cut();
    const away = await feedback(label('h-1', '2025-07-02T00:00:00Z'));
    expect(away.status).toBe(503);
    expect(away.headers.get('retry-after')).toBe('1');
    expect(away.body.error.message).toMatch(/database cannot be reached/);
    expect(JSON.stringify(away.body)).not.toMatch(/127\.0\.0\.1/);
    await line.restore();
    expect(await of('h-1')).toBeNull();
    expect((await feedback(label('h-1', '2025-07-02T00:00:00Z'))).status).toBe(200);
  });
});

describe('labels from a file', () => {
  it('are recorded row by row; a refused row has its line and reason, and the same file twice changes nothing', async () => {
    const file = join(directory, 'labels.csv');
    const rows = [
      'transaction_id,is_fraud,labeled_at,desk',
      'i-1,1,2025-07-02T00:00:00Z,a',
      'i-2,0,2025-07-02T00:00:00Z,a',
      'i-3,maybe,2025-07-02T00:00:00Z,a',
      ',1,2025-07-02T00:00:00Z,a',
      'i-4,1,yesterday,a',
      'i-5,1,2125-07-02T00:00:00Z,a',
      'f-1,1,2025-01-01T00:00:00Z,a',
      'i-6,1',
      'i-1,0,2025-07-03T00:00:00Z,a',
    ];
    await writeFile(file, rows.join('\n'));
    const { data } = (await loadModel(modelsDir, TINY_MODEL)).spec;
    const record = (labels: Label[]) => recordLabels(db, data, labels, { actor: 'ann', source: 'file' });
    const run = () => importLabels({ record }, { file });
    const summary = await run();
    expect(summary).toMatchObject({
      read: 9,
      recorded: 2,
      older: 1,
      unchanged: 0,
      unknown_transactions: 2,
      ignoredColumns: ['desk'],
      refused: { count: 6 },
    });
    expect(summary.refused.reasons).toMatchObject({
      '/is_fraud must be 0 or 1': 1,
      '/labeled_at must not lie in the future': 1,
    });
    expect(summary.refused.examples.map((example) => example.line).sort((a, b) => a - b)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(await db.collection<FeedbackLabel>(COLLECTIONS.feedback.name).findOne({ _id: 'i-1' })).toMatchObject({
      is_fraud: false,
      source: 'file',
      actor: 'ann',
    });
    expect(await run()).toMatchObject({ recorded: 0, unchanged: 2, older: 1 });
    await writeFile(file, 'transaction_id,labeled_at\n');
    await expect(run()).rejects.toThrow(/lacks the column is_fraud/);
  });
});

describe('streamed predictions', () => {
  it('are those a naive computation finds: one scoring each, the newest, with the label of the time', async () => {
    const other = mongo.client.db('streamed');
    const { data } = (await loadModel(modelsDir, TINY_MODEL)).spec;
    await createIndexes(other, COLLECTIONS.predictions, { retentionDays: 90 });
    await other.collection(data.collection).createIndex({ transaction_id: 1 }, { unique: true });
    let seed = 7;
    const random = (below: number): number => {
      seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
      return Math.floor((seed / 2_147_483_648) * below);
    };
    const from = Date.parse('2025-05-01T00:00:00Z');
    const hour = 3_600_000;
    const predictions: Prediction[] = [];
    const own: { transaction_id: string; booked_at: Date; is_fraud: number | null; labeled_at: Date }[] = [];
    const labels: FeedbackLabel[] = [];
    const [model] = await ofRequest('req-1');
    for (let index = 0; index < 5_000; index++) {
      const id = `s-${random(4_000)}`;
      const known = own.find(({ transaction_id }) => transaction_id === id);
      // Now and then one is booked at another time than before.
      const booked_at =
        known === undefined || random(10) === 0
          ? new Date(from + random(60 * 24) * hour - 5 * DAY_MS)
          : known.booked_at;
      if (known === undefined && random(10) > 0)
        own.push({
          transaction_id: id,
          booked_at,
          is_fraud: [0, 1, null][random(3)] ?? null,
          labeled_at: new Date(booked_at.getTime() + random(60) * DAY_MS),
        });
      if (random(8) === 0 && !labels.some(({ _id }) => _id === id))
        labels.push({
          _id: id,
          is_fraud: random(2) === 0,
          labeled_at: new Date(booked_at.getTime() + random(60) * DAY_MS),
          source: 's',
          actor: 'a',
          received_at: new Date(),
        });
      predictions.push({
        ...model!,
        _id: `p-${index}/0`,
        transaction_id: id,
        booked_at,
        scored_at: new Date(Date.now() - random(4) * 1_000),
        model: random(20) === 0 ? 'another' : 'm',
        environment: random(20) === 0 ? 'staging' : 'production',
        model_version: String(1 + random(2)),
        score: random(1_000) / 1_000,
      });
    }
    await openCollection(other, COLLECTIONS.predictions).insertMany(predictions);
    await other.collection(data.collection).insertMany(own);
    await other.collection<FeedbackLabel>(COLLECTIONS.feedback.name).insertMany(labels);

    const naive = (window: PredictionWindow): StreamedPrediction[] => {
      const [start, end, asOf] = [window.from, window.to, window.asOf].map((time) => Date.parse(time)) as [
        number,
        number,
        number,
      ];
      const newest = new Map<string, Prediction>();
      for (const one of predictions) {
        const at = one.booked_at.getTime();
        if (one.model !== window.model || one.environment !== window.environment || at < start || at >= end) continue;
        if (window.modelVersion !== undefined && one.model_version !== window.modelVersion) continue;
        const before = newest.get(one.transaction_id);
        const later = before === undefined ? 1 : one.scored_at.getTime() - before.scored_at.getTime();
        if (before === undefined || later > 0 || (later === 0 && one._id > before._id))
          newest.set(one.transaction_id, one);
      }
      return [...newest.values()].map((one) => {
        const {
          transaction_id,
          booked_at,
          scored_at,
          model_version,
          bundle_version,
          manifest_sha256,
          features,
          segment,
          score,
          calibrated_probability,
          decision,
        } = one;
        const theirs = labels.find(
          ({ _id, labeled_at }) => _id === transaction_id && labeled_at.getTime() <= asOf,
        )?.is_fraud;
        const mine = own.find(
          (row) => row.transaction_id === transaction_id && row.labeled_at.getTime() <= asOf,
        )?.is_fraud;
        const mature = booked_at.getTime() <= asOf - data.label_maturity_days * DAY_MS;
        const label = mature ? (theirs ?? (mine === 0 ? false : mine === 1 ? true : null)) : null;
        return {
          transaction_id,
          booked_at,
          scored_at,
          model_version,
          bundle_version,
          manifest_sha256,
          features,
          segment,
          score,
          calibrated_probability,
          decision,
          label,
        };
      });
    };
    const streamed = async (window: PredictionWindow): Promise<StreamedPrediction[]> => {
      const found: StreamedPrediction[] = [];
      await streamPredictions(other, data, window, async (batch) => {
        await Promise.resolve();
        found.push(...batch);
      });
      return found;
    };
    const byId = (rows: StreamedPrediction[]) =>
      [...rows].sort((a, b) => (a.transaction_id < b.transaction_id ? -1 : 1));
    const whole = {
      model: 'm',
      environment: 'production',
      from: '2025-05-01T00:00:00Z',
      to: '2025-06-15T00:00:00Z',
      asOf: '2025-07-01T00:00:00Z',
    };
    for (const window of [
      whole,
      { ...whole, modelVersion: '2' },
      { ...whole, environment: 'staging' },
      { ...whole, to: '2025-05-08T00:00:00Z', asOf: '2025-06-01T00:00:00Z' },
    ]) {
      const found = await streamed(window);
      expect(found.length).toBeGreaterThan(50);
      expect(byId(found)).toEqual(byId(naive(window)));
      const times = found.map(({ booked_at }) => booked_at.getTime());
      expect(times).toEqual([...times].sort((a, b) => a - b));
    }
    expect(new Set((await streamed(whole)).map(({ label }) => label))).toEqual(new Set([true, false, null]));
    expect(await streamed({ ...whole, model: 'nobody' })).toEqual([]);
    await expect(streamed({ ...whole, from: 'May' })).rejects.toThrow(/from must be an ISO time/);
    const stop = new AbortController();
    const aborted = streamPredictions(other, data, whole, () => stop.abort(new Error('enough')), {
      signal: stop.signal,
    });
    await expect(aborted).rejects.toThrow(/enough/);
  });
});

describe('a replay', () => {
  it('sends a window as a user would, once, and goes on where it was interrupted', async () => {
    const other = mongo.client.db(DATABASE);
    const model = await loadModel(modelsDir, TINY_MODEL);
    const rows = Array.from({ length: 450 }, (_, index) => ({
      ...transaction(`re-${String(index).padStart(3, '0')}`, {
        currency: index === 7 ? 'XXX' : 'EUR',
        amount: 10 + index,
      }),
      booked_at: new Date(Date.parse('2025-06-10T00:00:00Z') + index * 60_000),
      is_fraud: 0,
      labeled_at: new Date('2025-07-10T00:00:00Z'),
    }));
    await other.collection(model.spec.data.collection).insertMany(rows);
    const window = { from: '2025-06-10T00:00:00Z', to: '2025-06-11T00:00:00Z' };
    const stop = new AbortController();
    const run = (input: object = {}) =>
      replay({ db: other, model, scorer: createScorerClient(scorer.address) }, { ...window, ...input });
    await expect(run({ signal: stop.signal, onProgress: () => stop.abort(new Error('interrupted')) })).rejects.toThrow(
      /interrupted/,
    );
    await logged(scorer);
    expect(await openCollection(db, COLLECTIONS.predictions).countDocuments({ transaction_id: /^re-/ })).toBe(199);

    const rest = await run();
    expect(rest).toMatchObject({ read: 450, scored: 449, already: 0, refused: 1, prediction_log: { dropped: 0 } });
    expect(Object.keys(rest.reasons)).toEqual([expect.stringMatching(/^\/currency /)]);
    const stored = await openCollection(db, COLLECTIONS.predictions).find({ transaction_id: /^re-/ }).toArray();
    expect(new Set(stored.map(({ transaction_id }) => transaction_id)).size).toBe(449);
    expect(stored).toHaveLength(449);
    expect(stored.every(({ input }) => !('is_fraud' in input))).toBe(true);
    // The list with the refused transaction was never logged under its own id; the others are not sent again.
    expect(await run()).toMatchObject({ already: 250, scored: 199 });
    expect(await openCollection(db, COLLECTIONS.predictions).countDocuments({ transaction_id: /^re-/ })).toBe(449);
    expect(await run({ limit: 10 })).toMatchObject({ read: 10 });
  });
});

describe('the commands', () => {
  it('sluice score tells what happened by text, JSON and exit code', async () => {
    const cli = new Cli(directory, {
      ...servers.env,
      ...{ MONGODB_DATABASE: DATABASE, TEMPORAL_ADDRESS: '127.0.0.1:9', MLFLOW_TRACKING_URI: 'http://127.0.0.1:9' },
      ...{ S3_ENDPOINT: 'http://127.0.0.1:9', S3_ACCESS_KEY_ID: 'x', S3_SECRET_ACCESS_KEY: 'x' },
    });
    await writeFile(join(directory, 'one.json'), JSON.stringify(transaction('k-3')));
    await writeFile(join(directory, 'broken.json'), JSON.stringify(transaction('k-4', { amount: 'much' })));
    const url = ['--url', scorer.address];
    const window = ['--from', '2025-06-01', '--to', '2025-06-02'];
    const [one, broken, nobody, backwards] = await Promise.all([
      cli.run('--json', 'score', 'one.json', ...url),
      cli.run('score', 'broken.json', ...url),
      cli.run('score', 'replay', ...window, '--environment', 'staging'),
      cli.run('score', 'replay', '--from', '2025-06-02', '--to', '2025-06-01'),
    ]);
    expect(one).toMatchObject({ exitCode: 0, json: { results: [{ transaction_id: 'k-3' }] } });
    expect(broken.exitCode).toBe(2);
    expect(broken.stderr).toMatch(/\/amount must be number/);
    expect(nobody.exitCode).toBe(6);
    expect(nobody.stderr).toMatch(/no scorer of ulb_gbdt is running in staging/);
    expect(backwards.exitCode).toBe(2);
  });
});
