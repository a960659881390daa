import type { OverrideChange } from '../../domain/release/overrides.js';
import type { CheckResult, Metrics } from '../../domain/release/types.js';

/** queue `release` */
export interface ReportActivities {
  /** Adds this release's row to PROGRESS.md and fraud_model_progress.md (once per release) and writes the JSON reports. */
  writeReport(input: ReleaseReport): Promise<{ directory: string; files: string[] }>;
}

export interface ReleaseReport {
  model: string;
  releaseId: string;
  status: string;
  runId: string | null;
  modelVersion: string | null;
  bundleVersion: string | null;
  generation: number | null;
  stage: string | null;
  metrics: Metrics;
  gates: CheckResult[];
  dataSnapshotId: string | null;
  snapshotPrefix: string | null;
  actor: string;
  reason: string;
  finishedAt: string;
  /** where it departs from the model's spec; absent: nowhere */
  overrides?: readonly OverrideChange[];
  /** why the spec was weakened; absent: it was not */
  overrideReason?: string;
  /** names that were only given, where two different people must ask and decide; absent: none */
  unproven?: readonly string[];
}
