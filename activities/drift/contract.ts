import type { DriftDay } from '../../domain/drift/day.js';
import type { ClaimAnswer, ClaimRequest } from '../../domain/retraining/claim.js';
import type { BundleId } from '../../domain/bundle/id.js';

export interface DriftTarget {
  model: string;
  key: string;
  asOf: string;
  bundle: BundleId;
}

/** queue `data`: reads every scored row of the window once, in typed columns */
export interface DriftActivities {
  /**
   * Compares what was scored in the window before `asOf` with the bundle's reference profile, stores report and page once per key, and the day
   * in `drift_reports`. Asked again for a key that has a report, it answers with that report's day.
   */
  compareWindow(input: DriftTarget): Promise<DriftDay>;
  /** The window's own profile, stored once per key, in S3 and in `drift_snapshots`. */
  snapshotWindow(input: DriftTarget): Promise<KeptSnapshot>;
}

export interface KeptSnapshot {
  model: string;
  key: string;
  asOf: string;
  rows: number;
  /** null when the window held nothing to describe */
  snapshotKey: string | null;
  /** of an empty window: the key of the newest snapshot before it, null where there is none; absent in others, and before 25 November 2026 */
  since?: string | null;
  why: string;
}

/** queue `release` */
export interface RetrainingActivities {
  /** Report and page as artifacts, figures as metrics, in one MLflow run per model and key of the experiment `{model}-drift`. */
  logDriftReport(input: { model: string; key: string }): Promise<{ runId: string; url: string }>;
  /**
   * The right to start a retraining: one per cool-down of the model's spec, counted by `asOf`. `start`: the claim's release is to be started now; it is the asker's
   * own claim, or one whose run was stopped before it could start it. `started`: the asker's own, and its release runs or ran.
   */
  claimRetraining(input: ClaimRequest): Promise<ClaimAnswer>;
  /** That the claim's release runs; no further effect when asked again. */
  recordRetraining(input: { model: string; key: string; releaseId: string; startedAt: string }): Promise<void>;
}
