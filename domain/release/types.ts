import type { ModelSpec, Pointer } from '../../schemas/types.js';

/** A model, and what its folder said when the run began (`stores/model-definitions.ts`). Without: as it is now. */
export interface ModelRef {
  model: string;
  definition?: string;
}

/** What the trailing data of a release is, and where. Small enough for workflow history; the rows are in S3. */
export interface SnapshotRef {
  /** `{from}_{to}_{first 12 of the content hash}`, days in UTC */
  dataSnapshotId: string;
  /** S3 key prefix that holds `snapshot.parquet`, `profile.json`, `lookups/`, the summaries */
  prefix: string;
  parquetKey: string;
  contentSha256: string;
  asOf: string;
  from: string;
  to: string;
  rows: number;
  positives: number;
  splits: { train: number; validation: number; test: number };
  featureNames: string[];
  featureRegistrySha256: string;
}

/** One row of a gate or data-check table. `observed` is null when there was nothing to observe: that never passes. */
export interface CheckResult {
  name: string;
  passed: boolean;
  observed: number | null;
  required: string;
  message: string;
}

export interface TrainingResult {
  runId: string;
  experimentId: string;
  /** SHA-256 of `pipeline.onnx` */
  onnxSha256: string;
  trainedAt: string;
  operatingThreshold: number;
  /** MLflow artifact path → digest, of the files that a bundle takes from the run */
  artifacts: Record<string, { sha256: string; bytes: number }>;
}

/** Metrics on the held-out part; a metric that could not be computed is null. */
export type Metrics = Record<string, number | null>;

export interface EvaluationResult {
  metrics: Metrics;
  /** the champion on the same held-out rows, with the features its own bundle computes; null when there is none */
  champion: { version: string; metrics: Metrics } | null;
}

export interface BundleRef {
  model: string;
  version: string;
  manifestSha256: string;
  /** digest of the files that decide a score; two bundles with the same one score alike */
  contentSha256: string;
  onnxSha256: string;
  parentVersion: string | null;
  modelVersion: string;
  asOf: string;
}

export interface ReplicaInfo {
  replicaId: string;
  address: string;
  environment: string;
  generation: number;
  /** digest of the manifest that it serves; null and absent while there is none, or nobody asked */
  manifestSha256?: string | null;
}

/** What a replica answers when it serves a bundle. */
export interface Receipt {
  replicaId: string;
  version: string;
  manifestSha256: string;
  generation: number;
  /** null: its lease shows it, and how long it took is not known */
  loadedInMs: number | null;
}

export type PointerSwap =
  | { outcome: 'swapped'; pointer: Pointer }
  /** our own earlier attempt had won: its reply was lost */
  | { outcome: 'already'; pointer: Pointer }
  /** someone else moved the pointer first */
  | { outcome: 'lost'; pointer: Pointer | null };

export type { ModelSpec, Pointer };
