import type { BundleRef, Metrics, ModelRef, SnapshotRef, TrainingResult } from '../../domain/release/types.js';
import type { BundleId } from '../../domain/bundle/id.js';

/** queue `data` */
export interface BundleActivities {
  /**
   * Builds, signs and publishes a bundle from an MLflow run and, file by file, the newer of the snapshot's and the live bundle's lookups;
   * objects are written once, the manifest last, then everything is read back and verified.
   */
  composeBundle(
    input: ModelRef & {
      releaseId: string;
      runId: string;
      modelVersion: string;
      snapshot: SnapshotRef;
      /** digests as training reported them: what MLflow hands out must still be that */
      artifacts: TrainingResult['artifacts'];
      trainedAt: string;
      gitSha: string;
      metrics: Metrics;
      /** the live bundle this one replaces; null for the first */
      base: BundleId | null;
      /** goes into the version's name; from the workflow's clock, so that a retry writes the same */
      createdAt: string;
    },
  ): Promise<BundleRef & { rebasedLookups: string[] }>;
  /** Reads every file back and checks signature, digests, schemas and completeness; fails with IntegrityError. */
  verifyBundle(input: ModelRef & BundleId): Promise<BundleRef>;
}

/** One file of a bundle to be replaced by an object that lies elsewhere. */
export interface Replacement {
  file: string;
  objectKey: string;
  sha256: string;
  /** the version record; null for a file that has none (thresholds) */
  versionKey: string | null;
}

/** queue `data` */
export interface RecomposeActivities {
  /**
   * The live bundle with other files: unchanged ones are copied inside the store, golden vectors are answered anew, the patch version rises.
   * A lookup whose `asOf` is older than the live one's is left alone; when nothing is left to change, there is no new bundle.
   */
  recomposeBundle(input: {
    model: string;
    /** names this change, in manifest and pointer */
    releaseId: string;
    base: BundleId;
    replacements: Replacement[];
    gitSha: string;
    /** goes into the version's name; from the workflow's clock, so that a retry writes the same */
    createdAt: string;
  }): Promise<{
    /** null: nothing changed */
    bundle: BundleRef | null;
    replaced: string[];
    /** files left as they are in the base: they have the same content, or are newer than their replacement */
    kept: { file: string; state: 'unchanged' | 'older'; why: string }[];
  }>;
}
