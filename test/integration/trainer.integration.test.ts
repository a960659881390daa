import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockActivityEnvironment } from '@temporalio/testing';
import { execa } from 'execa';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { trainerEnv } from '../../activities/trainer/child-env.js';
import type { TrainerActivities } from '../../activities/trainer/contract.js';
import type { Progress } from '../../activities/trainer/events.js';
import type { EvaluateJob, TrainAnswer, TrainJob } from '../../activities/trainer/job.js';
import { runTrainer, type RunTrainerDeps } from '../../activities/trainer/run-trainer.js';
import { createScoreRows } from '../../activities/trainer/score-rows.js';
import { createTrainerActivities, type TrainerDeps } from '../../activities/trainer/trainer.js';
import { readableJson, sha256Hex } from '../../domain/bundle/digest.js';
import { columnKinds } from '../../domain/drift/columns.js';
import { quantileOfSorted } from '../../domain/lookups/quantile.js';
import { measuredMetrics } from '../../domain/release/measured.js';
import type { EvaluationResult, SnapshotRef, TrainingResult } from '../../domain/release/types.js';
import { createMlflowClient, type MlflowRun } from '../../platform/mlflow.js';
import { loadModel } from '../../platform/models.js';
import { createObjectStore, type ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import { validate } from '../../platform/validate.js';
import type { FeatureRegistry, ModelSpec } from '../../schemas/types.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';
import { testEnv } from '../support/stack.js';
import { TABLE_FEATURES, writeTrainingTable } from '../support/training-table.js';

/** the model's name, as the activities have it */
const EXPERIMENT = 'ulb_gbdt';
const SHA = 'a'.repeat(64);
/** Enough iterations to be still at it whenever it is told to end. */
const ENDLESS = { params: { n_estimators: 100_000 } };
/** What the snapshot's features are, as a registry would say it; hour 3 stands for "unknown". */
const REGISTRY: FeatureRegistry = {
  registry_version: 1,
  model: 'ulb_gbdt',
  derived: [],
  features: TABLE_FEATURES.map((name) => ({
    name,
    owner: 'test',
    logic: name,
    sources: [name],
    event_time: 'booked_at',
    window: null,
    delay: null,
    unit: '1',
    null_policy: name === 'hour' ? { on_null: 'impute', value: 3 } : { on_null: 'refuse' },
    op: name === 'hour' ? { kind: 'hour_of_day', at: 'booked_at' } : { kind: 'value', input: name },
  })),
};
const PARAMS = { n_estimators: 40, num_leaves: 15, learning_rate: 0.1, min_child_samples: 20 };

let servers: SharedServers;
let work: string;
let deps: RunTrainerDeps;
let spec: ModelSpec;
let parquet: string;
let uri: string;

beforeAll(async () => {
  servers = await useServers(['s3', 'mlflow']);
  uri = servers.env['MLFLOW_TRACKING_URI']!;
  work = await mkdtemp(join(tmpdir(), 'sluice-trainer-test-'));
  // a temporary directory of our own, so that what a call leaves behind shows
  await mkdir(join(work, 'tmp'));
  vi.stubEnv('TMPDIR', join(work, 'tmp'));
  deps = {
    python: servers.env['SLUICE_PYTHON']!,
    trainingDir: projectPath('training'),
    env: trainerEnv(testEnv()),
    log: pino({ level: 'silent' }),
  };
  const loaded = (await loadModel(projectPath('models'), 'ulb_gbdt')).spec;
  spec = {
    ...loaded,
    trainer: { ...loaded.trainer, params: PARAMS, golden_rows: 12, isolation_forest: { n_estimators: 20 } },
    operating_threshold: { strategy: 'max_f1' },
  };
  parquet = join(work, 'table.parquet');
  await writeTrainingTable(parquet);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(work, { recursive: true, force: true });
});

function snapshot(over: Partial<SnapshotRef> = {}): SnapshotRef {
  return {
    dataSnapshotId: '2025-01-01_2025-03-01_0123456789ab',
    prefix: 'snapshots/test',
    parquetKey: 'snapshots/test/snapshot.parquet',
    contentSha256: SHA,
    asOf: '2025-03-31T00:00:00.000Z',
    from: '2025-01-01T00:00:00.000Z',
    to: '2025-03-01T00:00:00.000Z',
    rows: 6_000,
    positives: 240,
    splits: { train: 3_900, validation: 900, test: 1_200 },
    featureNames: [...TABLE_FEATURES],
    featureRegistrySha256: SHA,
    ...over,
  };
}

async function trainJob(releaseId: string, over: Partial<TrainJob> = {}): Promise<TrainJob> {
  return {
    command: 'train',
    model: 'ulb_gbdt',
    release_id: releaseId,
    snapshot: snapshot(),
    columns: columnKinds(REGISTRY),
    parquet,
    output: await mkdtemp(join(work, `${releaseId}-`)),
    spec,
    overrides: {},
    git_sha: 'c0ffee0',
    mlflow: { tracking_uri: uri, experiment: EXPERIMENT },
    ...over,
  };
}

async function evaluateJob(runId: string, over: Partial<EvaluateJob> = {}): Promise<EvaluateJob> {
  return {
    command: 'evaluate',
    parquet,
    run_id: runId,
    champion: null,
    spec,
    output: await mkdtemp(join(work, 'evaluation-')),
    label: '',
    mlflow: { tracking_uri: uri, experiment: EXPERIMENT },
    ...over,
  };
}

const never = new AbortController().signal;
const train = (job: TrainJob): Promise<TrainAnswer> => runTrainer(deps, job, { signal: never });

/** What calls that have ended left in the temporary directory. */
async function leftBehind(): Promise<string[]> {
  return (await readdir(tmpdir())).filter((name) => name.startsWith('sluice-'));
}

/** How a call failed. */
async function failureOf(call: Promise<unknown>): Promise<{ type?: string; message: string }> {
  try {
    await call;
  } catch (error) {
    return error as Error;
  }
  throw new Error('the call did not fail');
}

async function mlflowPost<T>(path: string, body: object): Promise<T> {
  const response = await fetch(`${uri}/api/2.0/mlflow/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  expect(response.ok, `${path}: HTTP ${response.status}`).toBe(true);
  return (await response.json()) as T;
}

async function mlflowGet<T>(path: string): Promise<T> {
  return (await (await fetch(`${uri}/api/2.0/mlflow/${path}`)).json()) as T;
}

/** The runs of a release, nested ones included. */
async function runsOf(releaseId: string): Promise<MlflowRun[]> {
  const name = `experiments/get-by-name?experiment_name=${EXPERIMENT}`;
  const { experiment } = await mlflowGet<{ experiment?: { experiment_id: string } }>(name);
  if (experiment === undefined) return [];
  const { runs } = await mlflowPost<{ runs?: { info: { run_id: string } }[] }>('runs/search', {
    experiment_ids: [experiment.experiment_id],
    filter: `tags.\`sluice.release_id\` = '${releaseId}'`,
  });
  const client = createMlflowClient(uri);
  return Promise.all((runs ?? []).map(({ info }) => client.getRun(info.run_id)));
}

describe('train', () => {
  let first: TrainAnswer;
  let output: string;

  beforeAll(async () => {
    const job = await trainJob('first');
    output = job.output;
    first = await train(job);
  });

  it('gives the same files, byte for byte, for the same snapshot, code, seed and lock', async () => {
    const second = await train(await trainJob('second'));
    expect(second.run_id).not.toBe(first.run_id);
    expect(second.onnx_sha256).toBe(first.onnx_sha256);
    expect(second.artifacts).toEqual(first.artifacts);
    const reseeded = await train(
      await trainJob('reseeded', { overrides: { seed: 7, params: { subsample: 0.5, subsample_freq: 1 } } }),
    );
    expect(reseeded.onnx_sha256).not.toBe(first.onnx_sha256);
  });

  it('writes files that their schemas allow and that say what the models say', async () => {
    const read = async (name: string): Promise<unknown> =>
      JSON.parse(await readFile(join(output, 'bundle', name), 'utf8')) as unknown;
    const isotonic = validate('isotonic', await read('isotonic.json'));
    expect(isotonic.x[0]).toBe(0);
    expect(isotonic.x.at(-1)).toBe(1);
    for (let i = 1; i < isotonic.y.length; i++) expect(isotonic.y[i]).toBeGreaterThan(isotonic.y[i - 1]!);
    const thresholds = validate('per-category-thresholds', await read('per_category_thresholds.json'));
    expect(thresholds.operating.threshold).toBe(first.operating_threshold);
    expect(Object.keys(thresholds.budgets)).toEqual(['0.5pct', '1pct']);
    const golden = validate('golden-features', await read('golden_features.json'));
    expect(golden.feature_names).toEqual([...TABLE_FEATURES]);
    expect(golden.rows).toHaveLength(12);
    expect(new Set(golden.rows.map(({ raw }) => raw['operation_type']))).toEqual(new Set(['grocery', 'travel', null]));

    const scored = await createScoreRows(deps)(
      join(output, 'bundle'),
      golden.rows.map((row) => row.features),
      never,
    );
    golden.rows.forEach((row, i) => {
      expect(scored.scores[i]).toBeCloseTo(row.score, 6);
      expect(scored.calibrated[i]).toBeCloseTo(row.calibrated_probability, 5);
      expect(scored.anomaly[i]).toBeCloseTo(row.anomaly_score, 6);
    });
  });

  it('describes the rows that it was fitted on, and the scores of the held-out ones', async () => {
    const text = await readFile(join(output, 'bundle', 'reference_profile.json'), 'utf8');
    const profile = validate('reference-profile', JSON.parse(text) as unknown);
    const rows = await parquetReadObjects({ file: await asyncBufferFromFile(parquet) });
    const fitted = rows.filter(({ split }) => split === 0);
    const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    expect(profile).toMatchObject({
      as_of: snapshot().asOf,
      rows: fitted.length,
      target: { count: fitted.length },
      score: { count: 1_200 },
    });
    expect(profile.target.rate).toBeCloseTo(mean(fitted.map(({ label }) => label as number)), 12);

    const [amount, hour, noise] = profile.features;
    expect(noise).toMatchObject({ name: 'noise', kind: 'numeric', missing_value: null, period_hours: null });
    if (amount?.kind !== 'numeric' || hour?.kind !== 'categorical') throw new Error('of another kind');
    const amounts = fitted.map((row) => row['feature.amount'] as number).sort((a, b) => a - b);
    expect(amount).toMatchObject({ name: 'amount', count: fitted.length, missing_fraction: 0 });
    expect(amount.quantiles).toEqual(Array.from({ length: 1001 }, (_, i) => quantileOfSorted(amounts, i / 1000)));
    expect(amount.mean).toBeCloseTo(mean(amounts), 9);
    expect(amount.std).toBeCloseTo(Math.sqrt(mean(amounts.map((value) => (value - amount.mean!) ** 2))), 9);

    const byHour = new Map<number, number>();
    for (const row of fitted) {
      const value = row['feature.hour'] as number;
      byHour.set(value, (byHour.get(value) ?? 0) + 1);
    }
    const unknown = byHour.get(3)!;
    byHour.delete(3);
    expect(hour).toMatchObject({ missing_value: 3, period_hours: 24, count: fitted.length - unknown });
    expect(hour.missing_fraction).toBeCloseTo(unknown / fitted.length, 12);
    expect(hour.categories).toEqual([...byHour].sort(([a], [b]) => a - b).map(([value, count]) => ({ value, count })));

    const heldOut = rows.filter(({ split, segment }) => split === 2 && segment === 'travel');
    const scored = await createScoreRows(deps)(
      join(output, 'bundle'),
      heldOut.map((row) => TABLE_FEATURES.map((name) => row[`feature.${name}`] as number)),
      never,
    );
    expect(profile.segments.map(({ name }) => name)).toEqual(['grocery', 'travel']);
    expect(profile.segments[1]?.count).toBe(heldOut.length);
    expect(profile.segments[1]?.mean_score).toBeCloseTo(mean(scored.calibrated), 6);
    expect(profile.score.quantiles.at(-1)).toBeGreaterThanOrEqual(Math.max(...scored.calibrated) - 1e-6);
  });

  it('logs one finished run with what it was made from, its curve and its files', async () => {
    const [run, ...others] = await runsOf('first');
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      status: 'FINISHED',
      runId: first.run_id,
      tags: {
        'sluice.data_snapshot_id': snapshot().dataSnapshotId,
        'sluice.git_sha': 'c0ffee0',
        'sluice.onnx_sha256': first.onnx_sha256,
        'sluice.lock_sha256': sha256Hex(readFileSync(projectPath('training', 'requirements.lock'))),
      },
    });
    expect(run!.metrics['validation_auc_roc']).toBeGreaterThan(0.7);
    expect(run!.metrics['parity_score_max_difference']).toBeLessThan(1e-5);
    expect(run!.metrics['parity_anomaly_max_difference']).toBeLessThan(1e-6);
    const history = `metrics/get-history?run_id=${first.run_id}&metric_key=curve_average_precision`;
    const { metrics } = await mlflowGet<{ metrics: unknown[] }>(history);
    expect(metrics).toHaveLength(PARAMS.n_estimators);

    const client = createMlflowClient(uri);
    const stored = await client.getRun(first.run_id);
    for (const [path, { sha256 }] of Object.entries(first.artifacts))
      expect(sha256Hex(await client.downloadArtifact(stored, path)), path).toBe(sha256);
  });

  it('returns the finished run of the same release without training again, and kills what an attempt left behind', async () => {
    const { run } = await mlflowPost<{ run: { info: { run_id: string } } }>('runs/create', {
      experiment_id: first.experiment_id,
      tags: [{ key: 'sluice.release_id', value: 'first' }],
    });
    const seen: string[] = [];
    const again = await runTrainer(deps, await trainJob('first'), {
      signal: never,
      onProgress: ({ stage }) => seen.push(stage),
    });
    expect(again).toEqual(first);
    expect(seen).not.toContain('fit');
    const runs = await runsOf('first');
    expect(runs.map(({ runId, status }) => [runId, status]).sort()).toEqual(
      [
        [first.run_id, 'FINISHED'],
        [run.info.run_id, 'KILLED'],
      ].sort(),
    );
  });

  it('searches a grid on the training part, each choice a run below the release', async () => {
    const grid = { num_leaves: [4, 15], learning_rate: [0.1] };
    const job = await trainJob('grid', { spec: { ...spec, trainer: { ...spec.trainer, grid } } });
    const answer = await train(job);
    const runs = await runsOf('grid');
    const nested = runs.filter(({ tags }) => tags['mlflow.parentRunId'] === answer.run_id);
    expect(nested).toHaveLength(2);
    for (const { status, metrics } of nested) {
      expect(status).toBe('FINISHED');
      expect(metrics).toHaveProperty('cv_auc_pr_fold_3');
    }
    const best = Math.max(...nested.map(({ metrics }) => metrics['cv_auc_pr']!));
    expect(runs.find(({ runId }) => runId === answer.run_id)?.metrics['cv_auc_pr']).toBeCloseTo(best, 12);
    expect(await train({ ...job, output: await mkdtemp(join(work, 'grid-')) })).toEqual(answer);
  });

  it.each([
    ['an unknown parameter', { overrides: { params: { num_leafs: 3 } } }, 'InvalidInput', /num_leafs/],
    [
      'features that are not the snapshot’s',
      { snapshot: snapshot({ featureNames: ['amount'] }) },
      'InvalidInput',
      /features/,
    ],
    [
      'columns that are not the features',
      { columns: columnKinds(REGISTRY).slice(1) },
      'InvalidInput',
      /the job's columns say otherwise/,
    ],
    ['a file that is no Parquet', { parquet: projectPath('package.json') }, 'InvalidInput', /not a readable Parquet/],
  ] as [string, Partial<TrainJob>, string, RegExp][])('refuses %s', async (_what, over, type, message) => {
    const failure = await failureOf(train(await trainJob('refused', over)));
    expect(failure.type).toBe(type);
    expect(failure.message).toMatch(message);
  });

  it('refuses missing values and a part without frauds', async () => {
    const holes = join(work, 'holes.parquet');
    await writeTrainingTable(holes, { withNaN: true });
    const failure = await failureOf(train(await trainJob('holes', { parquet: holes })));
    expect(failure.type).toBe('InvalidInput');
    expect(failure.message).toMatch('feature.noise');
    const [run] = await runsOf('holes');
    expect(run?.status).toBe('FAILED');
    const few = join(work, 'few.parquet');
    await writeTrainingTable(few, { rows: 20 });
    await expect(train(await trainJob('few', { parquet: few }))).rejects.toMatchObject({ type: 'TrainingFailed' });
  });

  describe('evaluate', () => {
    it('agrees with scikit-learn on every figure, and logs them with plots and tables', async () => {
      const { metrics, champion } = await runTrainer(deps, await evaluateJob(first.run_id), { signal: never });
      expect(champion).toBeNull();
      const script = projectPath('test', 'parity', 'metrics_sklearn.py');
      const { stdout } = await execa(deps.python, [script, parquet, join(output, 'bundle'), String(spec.costs.review)]);
      const independent = JSON.parse(stdout) as Record<string, number>;
      expect(Object.keys(independent)).toHaveLength(14);
      for (const [name, value] of Object.entries(independent)) expect(metrics[name], name).toBeCloseTo(value, 9);
      expect(metrics['scoring_latency_p99_ms']).toBeGreaterThanOrEqual(metrics['scoring_latency_p50_ms']!);
      // Gates are checked against this list before a run begins.
      expect(Object.keys(metrics).sort()).toEqual(measuredMetrics(spec.alert_budgets).sort());
      expect(metrics['ece']).toBeLessThan(0.1);
      const profile = JSON.parse(await readFile(join(output, 'bundle', 'reference_profile.json'), 'utf8')) as unknown;
      expect(validate('reference-profile', profile).score.alert_rate).toBeCloseTo(metrics['alert_rate']!, 12);
      expect(metrics['budget_1pct_alert_rate']).toBeLessThan(0.05);

      const [run] = (await runsOf('first')).filter(({ status }) => status === 'FINISHED');
      for (const [name, value] of Object.entries(metrics)) expect(run!.metrics[name], name).toBeCloseTo(value!, 12);
      const client = createMlflowClient(uri);
      const stored = await client.getRun(first.run_id);
      for (const plot of ['roc', 'precision_recall', 'calibration', 'confusion']) {
        const png = await client.downloadArtifact(stored, `plots/${plot}.png`);
        expect(png.subarray(1, 4).toString()).toBe('PNG');
      }
      expect((await client.downloadArtifact(stored, 'evaluation/segments.csv')).toString()).toContain('grocery');
    });

    it('compares with a champion on the same rows only', async () => {
      const bundleDir = join(output, 'bundle');
      const same = await evaluateJob(first.run_id, {
        champion: { version: 'v1', bundle_dir: bundleDir, parquet },
        label: 'rebased',
      });
      const { metrics, champion } = await runTrainer(deps, same, { signal: never });
      expect(champion?.version).toBe('v1');
      for (const name of ['auc_pr', 'precision', 'log_loss', 'precision_at_1pct'])
        expect(champion?.metrics[name], name).toBe(metrics[name]);
      const [run] = (await runsOf('first')).filter(({ status }) => status === 'FINISHED');
      expect(run!.metrics['rebased.champion.auc_pr']).toBe(metrics['auc_pr']);

      const others = join(work, 'others.parquet');
      await writeTrainingTable(others, { seed: 2 });
      const different = await evaluateJob(first.run_id, {
        champion: { version: 'v1', bundle_dir: bundleDir, parquet: others },
      });
      const failure = await failureOf(runTrainer(deps, different, { signal: never }));
      expect(failure.type).toBe('InvalidInput');
      expect(failure.message).toMatch('comparison would mean nothing');
    });

    it('has no number for what cannot be computed', async () => {
      const quiet = join(work, 'quiet.parquet');
      await writeTrainingTable(quiet, { testFrauds: false });
      const { metrics } = await runTrainer(deps, await evaluateJob(first.run_id, { parquet: quiet, label: 'quiet' }), {
        signal: never,
      });
      for (const name of [
        'auc_roc',
        'auc_pr',
        'log_loss',
        'recall',
        'f1_score',
        'precision_at_1pct',
        'cost_per_alert',
        'brier',
      ])
        expect(metrics[name], name).toBeNull();
      expect(metrics['alert_rate']).not.toBeNull();
    });
  });
});

/** Whether a process runs; one that has ended and waits for its parent to ask does not. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

describe('the child', () => {
  it('ends when the call is aborted, and its run is marked KILLED', async () => {
    const abort = new AbortController();
    const reason = new Error('the release was cancelled');
    const onProgress = ({ stage }: Progress): void => {
      if (stage === 'fit') abort.abort(reason);
    };
    const job = await trainJob('cancelled', { overrides: ENDLESS });
    await expect(runTrainer(deps, job, { signal: abort.signal, onProgress })).rejects.toBe(reason);
    expect((await runsOf('cancelled')).map(({ status }) => status)).toEqual(['KILLED']);
    expect(await leftBehind()).toEqual([]);
  });

  it('ends when its parent is killed', async () => {
    const jobFile = join(work, 'orphan.json');
    await writeFile(jobFile, JSON.stringify(await trainJob('orphan', { overrides: ENDLESS })));
    // The parent holds the child's stdin open, as the worker does, and hands on what it says.
    const parent = spawn(process.execPath, [
      '-e',
      `const { spawn } = require('node:child_process');
       const child = spawn(process.argv[1], ['-m', 'sluice_trainer', process.argv[2]],
         { stdio: ['pipe', 'pipe', 'ignore'], env: { ...process.env, PYTHONPATH: process.argv[3] } });
       console.log('pid ' + child.pid);
       child.stdout.pipe(process.stdout);`,
      deps.python,
      jobFile,
      deps.trainingDir,
    ]);
    let said = '';
    parent.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await vi.waitFor(() => expect(said).toContain('"stage": "fit"'), { timeout: 60_000, interval: 100 });
    const pid = Number(/pid (\d+)/.exec(said)?.[1]);
    expect(isRunning(pid)).toBe(true);
    parent.kill('SIGKILL');
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: 15_000, interval: 100 });
    expect((await runsOf('orphan')).map(({ status }) => status)).toEqual(['KILLED']);
  });

  it('names a package that is missing and what to do', async () => {
    const trainingDir = await mkdtemp(join(work, 'incomplete-'));
    await symlink(projectPath('training', 'sluice_trainer'), join(trainingDir, 'sluice_trainer'));
    await writeFile(
      join(trainingDir, 'lightgbm.py'),
      'raise ModuleNotFoundError("No module named lightgbm", name="lightgbm")\n',
    );
    const failure = await failureOf(
      runTrainer({ ...deps, trainingDir }, await trainJob('incomplete'), { signal: never }),
    );
    expect(failure.type).toBe('PythonPackageMissing');
    expect(failure.message).toMatch(/package lightgbm is missing.*requirements\.lock/);
    const without = { ...deps, python: join(work, 'no-python') };
    const notFound = await failureOf(runTrainer(without, await trainJob('incomplete'), { signal: never }));
    expect(notFound.type).toBe('PythonPackageMissing');
    expect(notFound.message).toMatch('SLUICE_PYTHON');
  });

  it('names an MLflow that cannot be reached, without the credentials in its address', async () => {
    const probe = createServer().listen(0, '127.0.0.1');
    const { port } = await new Promise<{ port: number }>((resolve) =>
      probe.once('listening', () => resolve(probe.address() as { port: number })),
    );
    await new Promise((resolve) => probe.close(resolve));
    const mlflowTarget = { tracking_uri: `http://user:hunter2@127.0.0.1:${port}`, experiment: EXPERIMENT };
    const failure = await failureOf(train(await trainJob('unreachable', { mlflow: mlflowTarget })));
    expect(failure.type).toBe('Unreachable');
    expect(failure.message).toMatch(`127.0.0.1:${port}`);
    expect(failure.message).not.toContain('hunter2');
  });

  it('reports the end of its output when it dies without a word', async () => {
    const trainingDir = await mkdtemp(join(work, 'dying-'));
    await mkdir(join(trainingDir, 'sluice_trainer'));
    const dying =
      'import os, sys\nprint("about to die http://me:hunter2@host", file=sys.stderr, flush=True)\nos.kill(os.getpid(), 9)\n';
    await writeFile(join(trainingDir, 'sluice_trainer', '__main__.py'), dying);
    const failure = await failureOf(runTrainer({ ...deps, trainingDir }, await trainJob('dying'), { signal: never }));
    expect(failure.type).toBe('TrainingFailed');
    expect(failure.message).toMatch(/SIGKILL.*about to die/s);
    expect(failure.message).not.toContain('hunter2');
  });
});

describe('the activities', () => {
  let store: ObjectStore;
  let trainerDeps: TrainerDeps;

  beforeAll(async () => {
    store = createObjectStore({
      endpoint: servers.env['S3_ENDPOINT']!,
      region: servers.env['S3_REGION'] ?? 'us-east-1',
      bucket: servers.env['S3_BUCKET']!,
      accessKeyId: servers.env['S3_ACCESS_KEY_ID']!,
      secretAccessKey: servers.env['S3_SECRET_ACCESS_KEY']!,
    });
    await store.ensureBucket();
    await store.putFile(snapshot().parquetKey, parquet);
    trainerDeps = {
      ...deps,
      store,
      models: { load: () => Promise.resolve({ spec, registry: REGISTRY }) },
      mlflowTrackingUri: uri,
    };
  });
  afterAll(() => store?.close());

  /** Calls one as Temporal would. */
  async function inActivity<N extends keyof TrainerActivities>(
    name: N,
    input: Parameters<TrainerActivities[N]>[0],
    environment = new MockActivityEnvironment(),
  ): Promise<Awaited<ReturnType<TrainerActivities[N]>>> {
    type Answer = Awaited<ReturnType<TrainerActivities[N]>>;
    const activity = createTrainerActivities(trainerDeps)[name] as (input: unknown) => Promise<Answer>;
    return environment.run<[unknown], Answer, typeof activity>(activity, input);
  }

  it('train and evaluate from the object store, against a published champion, with heartbeats', async () => {
    const environment = new MockActivityEnvironment();
    const beats: unknown[] = [];
    environment.on('heartbeat', (details: unknown) => beats.push(details));
    const trained: TrainingResult = await inActivity(
      'train',
      { model: 'ulb_gbdt', releaseId: 'by-activity', snapshot: snapshot(), gitSha: 'c0ffee0' },
      environment,
    );
    expect(beats[0]).toEqual({ stage: 'download', fraction: 0 });

    const version = '20250630-120000-1.0.0-c0ffee0';
    const bundle = await publish(store, 'ulb_gbdt', version, trained.runId);
    const result: EvaluationResult = await inActivity('evaluate', {
      model: 'ulb_gbdt',
      releaseId: 'by-activity',
      snapshot: snapshot(),
      runId: trained.runId,
      champion: { version, manifestSha256: bundle, parquetKey: snapshot().parquetKey },
    });
    expect(result.metrics['auc_pr']).toBeGreaterThan(0.2);
    expect(result.champion).toMatchObject({ version, metrics: { auc_pr: result.metrics['auc_pr'] } });
    expect(await leftBehind()).toEqual([]);

    const tampered = { version, manifestSha256: SHA, parquetKey: snapshot().parquetKey };
    await expect(
      inActivity('evaluate', {
        model: 'ulb_gbdt',
        releaseId: 'by-activity',
        snapshot: snapshot(),
        runId: trained.runId,
        champion: tampered,
      }),
    ).rejects.toMatchObject({ type: 'IntegrityError' });
  });

  it('end as cancelled when Temporal cancels them', async () => {
    const environment = new MockActivityEnvironment();
    const running = inActivity(
      'train',
      {
        model: 'ulb_gbdt',
        releaseId: 'cancelled-activity',
        snapshot: snapshot(),
        gitSha: 'c0ffee0',
        overrides: ENDLESS,
      },
      environment,
    );
    const ended = expect(running).rejects.toMatchObject({ name: 'CancelledFailure' });
    await vi.waitFor(async () => expect(await runsOf('cancelled-activity')).toHaveLength(1), {
      timeout: 60_000,
      interval: 250,
    });
    environment.cancel();
    await ended;
    expect((await runsOf('cancelled-activity')).map(({ status }) => status)).toEqual(['KILLED']);
  });
});

const MANIFEST = {
  schema_version: 1,
  model_version: '1',
  git_sha: 'c0ffee0',
  trained_at: '2025-06-30T12:00:00Z',
  as_of: '2025-06-30T00:00:00Z',
  data_snapshot_id: snapshot().dataSnapshotId,
  metrics: {},
  parent_version: null,
  release_id: 'by-activity',
  feature_registry_sha256: SHA,
  onnx_sha256: SHA,
  content_sha256: SHA,
};

/** Puts the run's files where a bundle lies, with a manifest that names them. @returns the manifest's digest */
async function publish(store: ObjectStore, model: string, version: string, runId: string): Promise<string> {
  const client = createMlflowClient(uri);
  const run = await client.getRun(runId);
  const files: Record<string, { sha256: string; bytes: number }> = {};
  for (const name of ['pipeline.onnx', 'if_pipe.onnx', 'isotonic.json', 'per_category_thresholds.json']) {
    const bytes = await client.downloadArtifact(run, `bundle/${name}`);
    files[name] = { sha256: sha256Hex(bytes), bytes: bytes.length };
    await store.putIfAbsent(`fraud/artifacts/${model}/${version}/${name}`, bytes, 'application/octet-stream');
  }
  const manifest = readableJson({ ...MANIFEST, model_name: model, version, mlflow_run_id: runId, files });
  await store.putIfAbsent(`fraud/artifacts/${model}/${version}/manifest.json`, manifest, 'application/json');
  return sha256Hex(manifest);
}
