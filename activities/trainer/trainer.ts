import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { columnKinds } from '../../domain/drift/columns.js';
import type { EvaluationResult, TrainingResult } from '../../domain/release/types.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { FeatureRegistry, ModelSpec } from '../../schemas/types.js';
import type { TrainerActivities } from './contract.js';
import { heartbeating } from '../heartbeat.js';
import { downloadChampion } from './champion-files.js';
import type { Progress } from './events.js';
import type { TrainerAnswer, TrainerJob } from './job.js';
import { runTrainer, type RunTrainerDeps } from './run-trainer.js';

export interface TrainerDeps extends RunTrainerDeps {
  store: ObjectStore;
  models: { load: (model: string, definition?: string) => Promise<{ spec: ModelSpec; registry: FeatureRegistry }> };
  /** artifacts go through it as well, so Python needs no key to the object store */
  mlflowTrackingUri: string;
}

type TrainInput = Parameters<TrainerActivities['train']>[0];
type EvaluateInput = Parameters<TrainerActivities['evaluate']>[0];

/** Training and evaluation in a Python child: heartbeats say how far it is, and a cancellation ends it. */
export function createTrainerActivities(deps: TrainerDeps): TrainerActivities {
  return {
    train: (input) => inWorkspace(deps, (directory, run) => train(deps, input, directory, run)),
    evaluate: (input) => inWorkspace(deps, (directory, run) => evaluate(deps, input, directory, run)),
  };
}

type Run = <J extends TrainerJob>(job: J) => Promise<TrainerAnswer<J>>;

async function train(deps: TrainerDeps, input: TrainInput, directory: string, run: Run): Promise<TrainingResult> {
  const { spec, registry } = await deps.models.load(input.model, input.definition);
  const parquet = join(directory, 'snapshot.parquet');
  await deps.store.getToFile(input.snapshot.parquetKey, parquet);
  const answer = await run({
    command: 'train',
    model: input.model,
    release_id: input.releaseId,
    snapshot: input.snapshot,
    columns: columnKinds(registry),
    parquet,
    output: await newDirectory(directory, 'output'),
    spec,
    overrides: input.overrides ?? {},
    git_sha: input.gitSha,
    mlflow: { tracking_uri: deps.mlflowTrackingUri, experiment: input.model },
  });
  return {
    runId: answer.run_id,
    experimentId: answer.experiment_id,
    onnxSha256: answer.onnx_sha256,
    trainedAt: answer.trained_at,
    operatingThreshold: answer.operating_threshold,
    artifacts: answer.artifacts,
  };
}

async function evaluate(
  deps: TrainerDeps,
  input: EvaluateInput,
  directory: string,
  run: Run,
): Promise<EvaluationResult> {
  const { model, champion, candidateParquetKey } = input;
  const { spec } = await deps.models.load(model, input.definition);
  const parquet = join(directory, 'candidate.parquet');
  await deps.store.getToFile(candidateParquetKey ?? input.snapshot.parquetKey, parquet);
  let compared: { version: string; bundle_dir: string; parquet: string } | null = null;
  if (champion !== null) {
    const bundleDir = await newDirectory(directory, 'champion');
    await downloadChampion(deps.store, { ...champion, model }, bundleDir);
    const rows = join(directory, 'champion.parquet');
    await deps.store.getToFile(champion.parquetKey, rows);
    compared = { version: champion.version, bundle_dir: bundleDir, parquet: rows };
  }
  return run({
    command: 'evaluate',
    parquet,
    run_id: input.runId,
    champion: compared,
    spec,
    output: await newDirectory(directory, 'output'),
    label: candidateParquetKey === undefined ? '' : 'rebased',
    mlflow: { tracking_uri: deps.mlflowTrackingUri, experiment: model },
  });
}

/** A temporary directory for one activity, gone when it ends; meanwhile the latest progress goes out with each heartbeat. */
async function inWorkspace<T>(deps: RunTrainerDeps, work: (directory: string, run: Run) => Promise<T>): Promise<T> {
  let progress: Progress = { stage: 'download', fraction: 0, message: '' };
  const directory = await mkdtemp(join(tmpdir(), 'sluice-training-'));
  try {
    return await heartbeating(
      (signal) => work(directory, (job) => runTrainer(deps, job, { signal, onProgress: (next) => (progress = next) })),
      () => ({ stage: progress.stage, fraction: progress.fraction }),
    );
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function newDirectory(parent: string, name: string): Promise<string> {
  const directory = join(parent, name);
  await mkdir(directory);
  return directory;
}
