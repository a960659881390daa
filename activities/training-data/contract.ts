import type { CheckResult, ModelRef, SnapshotRef } from '../../domain/release/types.js';
import type { BundleId } from '../../domain/bundle/id.js';

/** queue `data` */
export interface TrainingDataActivities {
  /** Writes the immutable training snapshot; the same data and spec give the same id, and an existing one is returned as it is. */
  snapshot(input: ModelRef & { releaseId: string; asOf: string }): Promise<SnapshotRef>;
  /** The declared data checks over the snapshot's profile. Does not throw on a failed check: the table is the answer. */
  validateData(input: ModelRef & { snapshot: SnapshotRef }): Promise<{ passed: boolean; checks: CheckResult[] }>;
  /** The held-out raw rows through another bundle's features and lookups, as Parquet, so that it can be compared on the same rows. */
  championFeatures(
    input: ModelRef & {
      snapshot: SnapshotRef;
      bundle: BundleId;
      releaseId: string;
    },
  ): Promise<{ parquetKey: string }>;
}
