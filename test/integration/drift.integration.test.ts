import { randomUUID } from 'node:crypto';
import axios from 'axios';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DriftDay, RetrainingActivities } from '../../activities/drift/contract.js';
import { documentId, driftPrefix, readDay, reportsOf, saveDay } from '../../activities/drift/documents.js';
import { createRetrainingActivities } from '../../activities/drift/retraining-activities.js';
import { RETRAININGS } from '../../activities/drift/retrainings.js';
import { createMlflowTracking, type MlflowTracking } from '../../platform/mlflow-tracking.js';
import { loadModel } from '../../platform/models.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import type { ModelSpec } from '../../schemas/types.js';
import { testMongo, testStore } from '../support/servers.js';
import { startTestStack, type TestStack } from '../support/stack.js';

// The drift run's activities on real MongoDB, S3 and MLflow: each may be killed anywhere and run again.
let stack: TestStack;
let mongo: Mongo;
let store: ObjectStore;
let tracking: MlflowTracking;
let spec: ModelSpec;
beforeAll(async () => {
  stack = await startTestStack(['mongo', 's3', 'mlflow']);
  mongo = await testMongo(stack.env, 'drift');
  store = await testStore(stack.env);
  tracking = createMlflowTracking(stack.env['MLFLOW_TRACKING_URI'] as string);
  ({ spec } = await loadModel(projectPath('models'), 'ulb_gbdt'));
});
afterAll(async () => {
  store?.close();
  await mongo?.close();
  await stack?.stop();
});

let model: string;
let light: RetrainingActivities;
const using = (mlflow: MlflowTracking): RetrainingActivities =>
  createRetrainingActivities({ db: mongo.db, store, mlflow, loadSpec: () => Promise.resolve(spec) });
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
    const kept = await mongo.db.collection<{ _id: string; claims: object[] }>(RETRAININGS).findOne({ _id: model });
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

describe('a day', () => {
  it('without a report never replaces one that has one', async () => {
    const day = await judgedDay();
    const poorer: DriftDay = { ...day, verdict: 'inconclusive', reportKey: null, pageKey: null };
    await saveDay(mongo.db, poorer);
    expect(await readDay(mongo.db, day)).toMatchObject({ verdict: 'drift' });
    await reportsOf(mongo.db).deleteOne({ _id: documentId(day) });
    await saveDay(mongo.db, poorer);
    await saveDay(mongo.db, poorer);
    expect(await readDay(mongo.db, day)).toMatchObject({ verdict: 'inconclusive' });
    await saveDay(mongo.db, day);
    expect(await readDay(mongo.db, day)).toMatchObject({ verdict: 'drift' });
  });
});
