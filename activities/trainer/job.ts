import type { ColumnKind } from '../../domain/drift/columns.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import type { ModelSpec } from '../../schemas/types.js';
import type { TrainerOverrides } from './contract.js';

interface MlflowTarget {
  tracking_uri: string;
  experiment: string;
}

export interface TrainJob {
  command: 'train';
  model: string;
  release_id: string;
  snapshot: SnapshotRef;
  /** what each feature is, in the order of the model's input */
  columns: ColumnKind[];
  /** absolute path of the snapshot's Parquet file */
  parquet: string;
  /** an empty directory that the trainer writes its files to, before it logs them */
  output: string;
  spec: ModelSpec;
  overrides: TrainerOverrides;
  git_sha: string;
  mlflow: MlflowTarget;
}

export interface EvaluateJob {
  command: 'evaluate';
  parquet: string;
  /** the candidate, whose files are fetched from it */
  run_id: string;
  champion: { version: string; bundle_dir: string; parquet: string } | null;
  spec: ModelSpec;
  output: string;
  /** what the figures are called in MLflow; empty for the run's own, a word for those of a re-based bundle */
  label: string;
  mlflow: MlflowTarget;
}

export interface ScoreJob {
  command: 'score';
  /** holds pipeline.onnx, if_pipe.onnx and isotonic.json */
  bundle_dir: string;
  features: readonly (readonly number[])[];
}

/** What the Python trainer can be asked for; training/README.md describes the exchange. */
export type TrainerJob = TrainJob | EvaluateJob | ScoreJob;

export interface TrainAnswer {
  run_id: string;
  experiment_id: string;
  onnx_sha256: string;
  trained_at: string;
  operating_threshold: number;
  artifacts: Record<string, { sha256: string; bytes: number }>;
}

export interface EvaluateAnswer {
  metrics: Record<string, number | null>;
  champion: { version: string; metrics: Record<string, number | null> } | null;
}

export interface ScoreAnswer {
  scores: number[];
  calibrated: number[];
  anomaly: number[];
}

export type TrainerAnswer<J extends TrainerJob> = J extends TrainJob
  ? TrainAnswer
  : J extends EvaluateJob
    ? EvaluateAnswer
    : ScoreAnswer;
