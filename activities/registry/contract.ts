import type { CandidateProvenance } from '../../domain/release/provenance.js';
import type { Metrics, ModelRef } from '../../domain/release/types.js';

/** queue `release` */
export interface RegistryActivities {
  /** One registry version per run, whatever is killed in between; alias `challenger`, stage Staging. */
  register(
    input: ModelRef & {
      runId: string;
      releaseId: string;
      dataSnapshotId: string;
      gitSha: string;
      metrics: Metrics;
    },
  ): Promise<{ modelVersion: string }>;
  setStage(
    input: ModelRef & {
      modelVersion: string;
      stage: 'None' | 'Staging' | 'Production' | 'Archived';
    },
  ): Promise<void>;
  setAlias(input: ModelRef & { alias: string; modelVersion: string | null }): Promise<void>;
  tagModelVersion(input: ModelRef & { modelVersion: string; tags: Record<string, string> }): Promise<void>;
  /** Who is who now, so that an undo can restore it. */
  registryState(input: ModelRef): Promise<{ champion: string | null; challenger: string | null; production: string[] }>;
}

/** queue `release` */
export interface ProvenanceActivities {
  /**
   * What a registered candidate was made of, beside the live bundle, and the pages that show more.
   * @param input champion the live bundle's version; null when nothing is live
   */
  provenance(
    input: ModelRef & { runId: string; modelVersion: string; champion: string | null },
  ): Promise<CandidateProvenance>;
}
