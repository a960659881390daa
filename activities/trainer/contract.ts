import type { EvaluationResult, ModelRef, SnapshotRef, TrainingResult } from '../../domain/release/types.js';

/** queue `training`: Python as a child process, heartbeats carry `{stage, fraction}` */
export interface TrainerActivities {
  train(
    input: ModelRef & {
      releaseId: string;
      snapshot: SnapshotRef;
      gitSha: string;
      overrides?: TrainerOverrides;
    },
  ): Promise<TrainingResult>;
  evaluate(
    input: ModelRef & {
      releaseId: string;
      snapshot: SnapshotRef;
      runId: string;
      /** a bundle whose model, features and thresholds are compared; null when nothing is live */
      champion: { version: string; manifestSha256: string; parquetKey: string } | null;
      /** for a re-based bundle: held-out features computed with that bundle's lookups, instead of the snapshot's own */
      candidateParquetKey?: string;
    },
  ): Promise<EvaluationResult>;
}

export interface TrainerOverrides {
  seed?: number;
  params?: Record<string, number | string | boolean>;
}
