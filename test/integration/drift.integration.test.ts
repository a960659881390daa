import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import axios from 'axios';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readSnapshot } from '../../stores/drift/archive.js';
import type { DriftActivities, DriftTarget, RetrainingActivities } from '../../activities/drift/contract.js';
import type { DriftDay } from '../../domain/drift/day.js';
import { documentId, readDay, saveDay } from '../../stores/drift/reports.js';
import { keepReference } from '../../stores/drift/references.js';
import { driftPrefix } from '../../stores/keys.js';
import { createDriftActivities } from '../../activities/drift/drift.js';
import { createRetrainingActivities } from '../../activities/drift/retraining-activities.js';
import { readableJson } from '../../domain/bundle/digest.js';
import { bundleKey } from '../../stores/keys.js';
import { MANIFEST_PAYLOAD_TYPE } from '../../domain/bundle/layout.js';
import { buildManifest } from '../../domain/bundle/manifest.js';
import { signEnvelope } from '../../domain/dsse/dsse.js';
import type { FeedbackLabel, Prediction } from '../../domain/predictions/types.js';
import { createMlflowTracking, type MlflowTracking } from '../../platform/mlflow-tracking.js';
import { loadModel } from '../../platform/models.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { COLLECTIONS, createIndexes, openCollection } from '../../stores/collections.js';
import { projectPath } from '../../platform/project.js';
import { validate } from '../../platform/validate.js';
import type { DriftReport, ModelSpec, ReferenceDays, ReferenceProfile } from '../../schemas/types.js';
import { referenceOf } from '../support/reference-profile.js';
import { testMongo, testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';
import type { BundleId } from '../../domain/bundle/id.js';

// The drift run's activities on real MongoDB, S3 and MLflow: each may be killed anywhere and run again.
let stack: SharedServers;
let mongo: Mongo;
let store: ObjectStore;
let tracking: MlflowTracking;
let spec: ModelSpec;
beforeAll(async () => {
  stack = await useServers(['mongo', 's3', 'mlflow']);
  mongo = await testMongo(stack.env, 'drift');
  store = await testStore(stack.env);
  tracking = createMlflowTracking(stack.env['MLFLOW_TRACKING_URI'] as string);
  ({ spec } = await loadModel(projectPath('models'), 'ulb_gbdt'));
});
afterAll(async () => {
  store?.close();
  await mongo?.close();
});

let model: string;
let light: RetrainingActivities;
const using = (mlflow: MlflowTracking): RetrainingActivities =>
  createRetrainingActivities({
    db: mongo.db,
    store,
    tracking: mlflow,
    models: { load: () => Promise.resolve({ spec }) },
  });
beforeEach(() => {
  model = `m_${randomUUID().replaceAll('-', '')}`;
  light = using(tracking);
});

const KEY = '2025-06-30';
const AS_OF = '2025-06-30T00:00:00.000Z';
const fail = (): Promise<never> => Promise.reject(new Error('killed'));

/** The day's document, report and page as a comparison leaves them. */
async function judgedDay(): Promise<DriftDay> {
  const prefix = driftPrefix({ model, key: KEY });
  const day: DriftDay = {
    model,
    key: KEY,
    asOf: AS_OF,
    bundleVersion: '20250630-000000-1.0.0-0a1b2c3',
    modelVersion: '1',
    verdict: 'drift',
    why: 'amount has drifted',
    rows: 4000,
    featuresWithDrift: ['amount'],
    psi: { amount: 0.41, hour: 0.01, merchant: null },
    alertRate: 0.05,
    alertRateRatio: 1.9,
    stalenessHours: 2,
    isStale: false,
    sustained: { days: 3, required: 3, of: 5 },
    action: 'retrain',
    reportKey: `${prefix}report.json`,
    pageKey: `${prefix}report.html`,
  };
  await store.putIfAbsent(`${prefix}report.json`, Buffer.from('{"verdict":"drift"}'), 'application/json');
  await store.putIfAbsent(`${prefix}report.html`, Buffer.from('<p>drift</p>'), 'text/html');
  await saveDay(mongo.db, day);
  return day;
}

describe('the run in MLflow', () => {
  const which = () => ({ model, key: KEY });
  const experiment = () => tracking.ensureExperiment(`${model}-drift`);
  const runs = async () => tracking.findRuns(await experiment(), { key: 'sluice.drift', value: documentId(which()) });
  const api = <T>(path: string, params: object): Promise<T> =>
    axios
      .get<T>(`${stack.env['MLFLOW_TRACKING_URI']}/api/2.0/mlflow${path}`, { params, proxy: false })
      .then(({ data }) => data);
  const history = async (runId: string, metric: string) =>
    (await api<{ metrics?: object[] }>('/metrics/get-history', { run_id: runId, metric_key: metric })).metrics ?? [];

  it('has report, page, figures and tags, once, however often it is logged', async () => {
    await judgedDay();
    const first = await light.logDriftReport(which());
    expect(await light.logDriftReport(which())).toEqual(first);
    expect(await runs()).toHaveLength(1);
    type Shown = {
      run: {
        info: { status: string; run_name: string };
        data: { metrics: { key: string; value: number }[]; tags: { key: string; value: string }[] };
      };
    };
    const { run } = await api<Shown>('/runs/get', { run_id: first.runId });
    expect(run.info).toMatchObject({ status: 'FINISHED', run_name: KEY });
    expect(Object.fromEntries(run.data.metrics.map(({ key, value }) => [key, value]))).toEqual({
      rows: 4000,
      features_with_drift: 1,
      days_with_drift: 3,
      alert_rate: 0.05,
      alert_rate_ratio: 1.9,
      staleness_hours: 2,
      'psi/amount': 0.41,
      'psi/hour': 0.01,
    });
    expect(await history(first.runId, 'psi/amount')).toMatchObject([{ timestamp: Date.parse(AS_OF) }]);
    expect(run.data.tags).toContainEqual({ key: 'sluice.verdict', value: 'drift' });
    const { files } = await api<{ files: { path: string; file_size: number }[] }>('/artifacts/list', {
      run_id: first.runId,
    });
    expect(files.map(({ path }) => path).sort()).toEqual(['report.html', 'report.json']);
    const page = await axios.get<string>(`${stack.env['MLFLOW_TRACKING_URI']}/get-artifact`, {
      params: { run_uuid: first.runId, path: 'report.html' },
      proxy: false,
    });
    expect(page.data).toBe('<p>drift</p>');
    expect(first.url).toContain(`/runs/${first.runId}`);
  });

  it.each(['ensureExperiment', 'createRun', 'log', 'uploadArtifact', 'finishRun'] as const)(
    'is one when the worker is killed after %s, before its answer',
    async (call) => {
      await judgedDay();
      const killed = using({
        ...tracking,
        [call]: async (...args: never[]) => {
          await (tracking[call] as (...all: never[]) => Promise<unknown>)(...args);
          return await fail();
        },
      });
      await expect(killed.logDriftReport(which())).rejects.toThrow('killed');
      const { runId } = await light.logDriftReport(which());
      expect((await runs()).map((run) => run.runId)).toEqual([runId]);
      expect(await history(runId, 'psi/amount')).toHaveLength(1);
    },
  );

  it('is one when two attempts overlap, and both say which', async () => {
    await judgedDay();
    const ends = await Promise.all([1, 2, 3].map(() => using(tracking).logDriftReport(which())));
    expect(new Set(ends.map(({ runId }) => runId)).size).toBe(1);
    expect((await runs()).map((run) => run.runId)).toEqual([ends[0]?.runId]);
  });

  it('is refused for a day without a report, with what to do', async () => {
    await expect(light.logDriftReport(which())).rejects.toMatchObject({
      type: 'NotFound',
      message: expect.stringContaining('sluice drift run'),
    });
  });
});

describe('the claim on a retraining', () => {
  const claim = (date: string) =>
    light.claimRetraining({
      model,
      releaseId: `drift-${date}`,
      asOf: `${date}T00:00:00.000Z`,
      reason: `drift on ${date}`,
      claimedAt: '2025-07-01T00:00:00.000Z',
    });
  const record = (date: string) =>
    light.recordRetraining({ model, key: date, releaseId: `drift-${date}`, startedAt: '2025-07-01T00:00:01.000Z' });

  it('is answered alike when asked again, and says when its release runs', async () => {
    const first = await claim('2025-06-30');
    expect(first).toMatchObject({
      outcome: 'start',
      claim: { releaseId: 'drift-2025-06-30', asOf: AS_OF, reason: 'drift on 2025-06-30', startedAt: null },
      until: '2025-07-14T00:00:00.000Z',
    });
    expect(await claim('2025-06-30')).toEqual(first);
    await record('2025-06-30');
    await record('2025-06-30');
    expect(await claim('2025-06-30')).toMatchObject({
      outcome: 'started',
      claim: { startedAt: '2025-07-01T00:00:01.000Z' },
    });
  });

  it('holds others back for the cool-down of the spec, earlier days too, and no longer', async () => {
    await claim('2025-06-30');
    await record('2025-06-30');
    for (const date of ['2025-06-29', '2025-07-01', '2025-07-13'])
      expect(await claim(date)).toMatchObject({ outcome: 'cooling-down', claim: { releaseId: 'drift-2025-06-30' } });
    expect(await claim('2025-07-14')).toMatchObject({ outcome: 'start', claim: { releaseId: 'drift-2025-07-14' } });
  });

  it('that was never started goes to the next who asks', async () => {
    await claim('2025-06-30');
    expect(await claim('2025-07-01')).toMatchObject({ outcome: 'start', claim: { releaseId: 'drift-2025-06-30' } });
    await record('2025-06-30');
    expect(await claim('2025-07-02')).toMatchObject({ outcome: 'cooling-down' });
  });

  it('is one for any number of days that ask at the same time', async () => {
    const dates = Array.from({ length: 8 }, (_, i) => `2025-06-${10 + i}`);
    const answers = await Promise.all(dates.map(claim));
    expect(new Set(answers.map((answer) => answer.claim.releaseId)).size).toBe(1);
    const kept = await mongo.db
      .collection<{ _id: string; claims: object[] }>(COLLECTIONS.retrainings.name)
      .findOne({ _id: model });
    expect(kept?.claims).toHaveLength(1);
  });

  it('keeps what was recorded while a newer claim was made', async () => {
    await claim('2025-06-01');
    await Promise.all([record('2025-06-01'), claim('2025-06-15')]);
    expect(await claim('2025-06-01')).toMatchObject({ outcome: 'started' });
  });

  it('shows in the day that started it', async () => {
    await judgedDay();
    await claim(KEY);
    await record(KEY);
    expect(await readDay(mongo.db, { model, key: KEY })).toMatchObject({ retraining: `drift-${KEY}` });
  });
});

describe('a comparison', () => {
  const DAY_MS = 86_400_000;
  const end = Date.parse(AS_OF);
  const { publicKey, privateKey } = generateKeyPairSync('ed25519');
  const trustedKeys = new Map([['test-key', publicKey]]);
  let bundle: BundleId;

  /** A bundle as far as a comparison reads it: manifest, signature, profile; and its reference as an earlier run kept it. */
  async function publish(profile: ReferenceProfile | null, days: ReferenceDays | null = null): Promise<void> {
    const version = '20250601-000000-1.0.0-0a1b2c3';
    const files = new Map<string, Buffer>([
      ['pipeline.onnx', Buffer.from('onnx')],
      ['feature_registry.json', Buffer.from('{}')],
      ...(profile === null ? [] : [['reference_profile.json', readableJson(profile)] as const]),
    ]);
    const manifest = buildManifest(
      {
        model,
        modelVersion: '1',
        version,
        runId: 'run',
        gitSha: '0a1b2c3',
        trainedAt: '2025-06-01T00:00:00Z',
        asOf: '2025-06-01T00:00:00Z',
        dataSnapshotId: 'snapshot',
        metrics: { precision: 0.8, recall: 0.7 },
        parentVersion: null,
        releaseId: 'r1',
      },
      files,
    );
    files.set('manifest.json', manifest.bytes);
    files.set(
      'manifest.sig',
      readableJson(signEnvelope(MANIFEST_PAYLOAD_TYPE, manifest.bytes, { keyid: 'test-key', privateKey })),
    );
    for (const [name, bytes] of files)
      await store.putIfAbsent(bundleKey(model, version, name), bytes, 'application/octet-stream');
    bundle = { version, manifestSha256: manifest.sha256 };
    if (days !== null) await keepReference(store, model, { ...days, bundle_version: version });
  }

  const quantiles = Array.from({ length: 101 }, (_, i) => i / 100);
  const profile: ReferenceProfile = {
    as_of: '2025-06-01T00:00:00Z',
    rows: 50_000,
    features: [
      {
        name: 'amount',
        kind: 'numeric',
        missing_value: null,
        period_hours: null,
        count: 50_000,
        missing_fraction: 0,
        mean: 0.5,
        std: 0.29,
        quantiles,
      },
    ],
    score: { count: 10_000, quantiles, alert_rate: 0.1 },
    target: { count: 50_000, rate: 0.02 },
    segments: [],
  };

  /** Four weeks of such rows as `scored` writes, 200 a day. */
  const days: ReferenceDays = (() => {
    const rows = 28 * 200;
    const u = Float64Array.from({ length: rows }, (_, i) => (((i % 1400) * 617) % 1400) / 1400);
    const until = Date.parse('2025-06-02T00:00:00Z');
    const reference = referenceOf(
      {
        bookedAtMs: u.map((_, i) => until - 1 - Math.floor((i / 200) * DAY_MS)),
        features: { amount: u },
        calibrated: u,
        alerts: u.map((value) => (value > 0.9 ? 1 : 0)),
        labels: u.map((_, i) => (i % 50 === 0 ? 1 : 0)),
        segments: Array.from(u, () => null),
      },
      [{ name: 'amount', kind: 'numeric', missing_value: null, period_hours: null }],
      { model: 'm', modelVersion: '1', bundleVersion: 'v', metrics: {} },
    );
    return reference.days as ReferenceDays;
  })();

  /** A week of evenly spread rows, whose amounts and alerts are as in the profile times a factor. */
  async function scored(factor: number, rows = 1400, to = end): Promise<void> {
    const log = openCollection(mongo.db, COLLECTIONS.predictions);
    await log.insertMany(
      Array.from({ length: rows }, (_, i): Prediction => {
        const u = ((i * 617) % rows) / rows;
        return {
          _id: `${model}-${to}-${i}/0`,
          request_id: `${model}-${to}-${i}`,
          transaction_id: `${model}-${to}-${i}`,
          customer_id: 'c',
          booked_at: new Date(to - 1 - Math.floor((i / rows) * 7 * DAY_MS)),
          scored_at: new Date(end),
          model,
          model_version: '1',
          bundle_version: bundle.version,
          manifest_sha256: bundle.manifestSha256,
          thresholds_sha256: '0',
          generation: 1,
          environment: 'production',
          replica: 'r1',
          arm: 'champion',
          input: {},
          features: { amount: u * factor },
          segment: null,
          score: u,
          calibrated_probability: u,
          anomaly_score: 0,
          decision: u > 1 - 0.1 * factor ? 'alert' : 'pass',
          threshold: 0.9,
        };
      }),
    );
  }

  const activitiesOn = (objects: ObjectStore): DriftActivities =>
    createDriftActivities({
      db: mongo.db,
      store: objects,
      trustedKeys,
      models: { load: () => Promise.resolve({ spec }) },
    });
  const ask = <T>(work: (target: DriftTarget) => Promise<T>, date = KEY, prefix = ''): Promise<T> =>
    new MockActivityEnvironment().run<[], T, () => Promise<T>>(() =>
      work({ model, key: `${prefix}${date}`, asOf: `${date}T00:00:00.000Z`, bundle }),
    );
  const compare = (date = KEY, objects = store) => ask(activitiesOn(objects).compareWindow, date);

  beforeAll(() => createIndexes(mongo.db, COLLECTIONS.predictions, { retentionDays: 10_000 }));
  beforeEach(() => publish(profile, days));

  it("without drift asks for nothing; its report is the schema's and stands, whatever is scored later", async () => {
    await scored(1);
    const day = await compare();
    expect(day).toMatchObject({ verdict: 'none', action: 'none', rows: 1400, modelVersion: '1' });
    expect(day.alertRateRatio).toBeCloseTo(1, 1);
    const bytes = (await store.get(day.reportKey as string))?.bytes;
    const report = validate('drift-report', JSON.parse(String(bytes)));
    expect(report).toMatchObject({ timestamp: AS_OF, verdict: 'none', action: 'none', window: { rows: 1400 } });
    expect(report.performance.rows).toBe(0);
    expect(String((await store.get(day.pageKey as string))?.bytes)).toMatch(/^<!doctype html>/i);
    await scored(3, 1000, end - DAY_MS);
    expect(await compare()).toEqual(day);
    expect((await store.get(day.reportKey as string))?.bytes).toEqual(bytes);
  });

  it('with drift on the third of five days, and more alerts, asks for a retraining; days of another model do not count', async () => {
    await scored(2, 1400, end);
    const other = { verdict: 'drift' as const, model_version: '0', model, as_of: new Date(end - 3 * DAY_MS) };
    await openCollection(mongo.db, COLLECTIONS.driftReports).insertOne({
      ...other,
      _id: `${model}/2025-06-27`,
      key: '2025-06-27',
    } as never);
    expect(await compare('2025-06-28')).toMatchObject({ verdict: 'drift', action: 'alert', sustained: { days: 1 } });
    expect(await compare('2025-06-29')).toMatchObject({ verdict: 'drift', action: 'alert', sustained: { days: 2 } });
    const day = await compare('2025-06-30');
    expect(day).toMatchObject({ verdict: 'drift', action: 'retrain', featuresWithDrift: ['amount'] });
    expect(day.sustained).toEqual({ days: 3, required: 3, of: 5 });
    expect(day.why).toMatch(/^drift on 3 of the last 5 days .*pressure by alert rate/);
    expect(day.pressures).toEqual(['alert_rate']);
  });

  it('uses labels that have matured, of the window as long before', async () => {
    await scored(1);
    const matured = end - spec.data.label_maturity_days * DAY_MS;
    await scored(1, 1400, matured);
    const frauds = Array.from({ length: 200 }, (_, i) => `${model}-${matured}-${i}`);
    await mongo.db.collection<FeedbackLabel>(COLLECTIONS.feedback.name).insertMany(
      frauds.map((_id) => ({
        _id,
        is_fraud: true,
        labeled_at: new Date(matured),
        source: 's',
        actor: 'a',
        received_at: new Date(),
      })),
    );
    const day = await compare();
    const report = JSON.parse(String((await store.get(day.reportKey as string))?.bytes)) as DriftReport;
    expect(report.performance).toMatchObject({ rows: 200, frauds: 200, to: new Date(matured).toISOString() });
  });

  it.each([
    ['an empty window', 0],
    ['twelve rows', 12],
  ])('of %s has no verdict, keeps nothing but the day, and is made again when there is more', async (_, rows) => {
    if (rows > 0) await scored(1, rows, end - 1);
    expect(await compare()).toMatchObject({
      verdict: 'inconclusive',
      action: 'alert',
      rows,
      reportKey: null,
      since: null,
    });
    expect(await store.list(driftPrefix({ model, key: KEY }))).toEqual([]);
    await scored(1);
    expect(await compare()).toMatchObject({ verdict: 'none', rows: 1400 + rows });
  });

  it('with a bundle from before profiles says what to do', async () => {
    model = `${model}_old`;
    await publish(null);
    await scored(1);
    expect(await compare()).toMatchObject({
      verdict: 'inconclusive',
      why: expect.stringMatching(/before bundles carried a reference profile: release again/),
    });
  });

  it('of data that has stopped coming is told', async () => {
    await scored(1, 1400, end - 2 * DAY_MS);
    expect(await compare()).toMatchObject({ isStale: true, action: 'alert' });
  });

  it('with nothing left of the training data but the profile measures, judges nothing, and says so', async () => {
    model = `${model}_gone`;
    await publish(profile);
    await scored(2);
    const day = await compare();
    expect(day).toMatchObject({ verdict: 'warn', action: 'none', featuresWithDrift: [] });
    expect(day.why).toContain('the training snapshot is gone');
    expect(day.psi['amount']).toBeGreaterThan(0.25);
  });

  it('is refused for a bundle whose profile is not what its manifest says', async () => {
    model = `${model}_gone`;
    await publish(profile);
    await store.putIfMatch(
      bundleKey(model, bundle.version, 'reference_profile.json'),
      readableJson({ ...profile, rows: 1 }),
      (await store.head(bundleKey(model, bundle.version, 'reference_profile.json')))?.etag ?? null,
    );
    await expect(compare()).rejects.toMatchObject({ type: 'IntegrityError' });
  });

  it.each([1, 2])(
    'killed after its write number %i is finished by the next try, from the report that stands',
    async (n) => {
      await scored(2);
      let writes = 0;
      const dying: ObjectStore = {
        ...store,
        putIfAbsent: async (...args) => {
          const outcome = await store.putIfAbsent(...args);
          return ++writes === n ? await fail() : outcome;
        },
      };
      await expect(compare(KEY, dying)).rejects.toThrow('killed');
      const standing = (await store.get(`${driftPrefix({ model, key: KEY })}report.json`))?.bytes;
      await scored(1, 1400, end - DAY_MS);
      expect(await compare()).toMatchObject({ verdict: 'drift', rows: 1400 });
      expect((await store.get(`${driftPrefix({ model, key: KEY })}report.json`))?.bytes).toEqual(standing);
      expect(await readDay(mongo.db, { model, key: KEY })).toMatchObject({ rows: 1400, action: 'alert' });
    },
  );

  it('is one when attempts overlap', async () => {
    await scored(2);
    const days = await Promise.all([compare(), compare(), compare()]);
    expect(new Set(days.map((day) => JSON.stringify(day))).size).toBe(1);
  });

  it('of a week is kept once, in S3 and MongoDB, and of an empty one nothing is', async () => {
    const snapshot = () => ask(activitiesOn(store).snapshotWindow, KEY, 'weekly-');
    expect(await snapshot()).toMatchObject({ rows: 0, snapshotKey: null });
    await scored(1);
    const kept = await snapshot();
    expect(kept).toMatchObject({ rows: 1400, snapshotKey: `fraud/drift/${model}/weekly-${KEY}/snapshot.json` });
    await scored(2, 100, end - 5);
    expect(await snapshot()).toEqual(kept);
    expect(await readSnapshot(mongo.db, model, `weekly-${KEY}`)).toEqual(
      JSON.parse(String((await store.get(kept.snapshotKey as string))?.bytes)),
    );
  });
});

describe('a day', () => {
  it('without a report never replaces one that has one', async () => {
    const day = await judgedDay();
    const poorer: DriftDay = { ...day, verdict: 'inconclusive', reportKey: null, pageKey: null };
    await saveDay(mongo.db, poorer);
    expect(await readDay(mongo.db, day)).toMatchObject({ verdict: 'drift' });
    await openCollection(mongo.db, COLLECTIONS.driftReports).deleteOne({ _id: documentId(day) });
    await saveDay(mongo.db, poorer);
    await saveDay(mongo.db, poorer);
    expect(await readDay(mongo.db, day)).toMatchObject({ verdict: 'inconclusive' });
    await saveDay(mongo.db, day);
    expect(await readDay(mongo.db, day)).toMatchObject({ verdict: 'drift' });
  });
});
