import type { ThresholdEdits } from '../../domain/thresholds/edits.js';
import type { ThresholdSummary } from '../../domain/thresholds/summary.js';
import type { BundleId } from '../../domain/bundle/id.js';

export interface ThresholdsOf {
  model: string;
  /** `runKey(asOf)` */
  key: string;
  asOf: string;
  environment: 'production' | 'staging';
  /** the live bundle: its thresholds are the old ones, its model version the one whose scores count */
  live: BundleId;
}

/** queue `data` */
export interface RecalibrationActivities {
  /**
   * Computes and stores a proposal, once per key; asked again, it answers with what was stored.
   * InvalidInput with too little feedback: no data is never a proposal. Conflict where the stored one was made for another model version or
   * against other thresholds.
   */
  proposeThresholds(input: ThresholdsOf): Promise<ThresholdSummary>;
  /** The same rows with an approver's thresholds: the figures of what goes live, for the record. Stored once per edits. */
  reviseThresholds(
    input: ThresholdsOf & { proposal: { proposalKey: string; proposalSha256: string }; edits: ThresholdEdits },
  ): Promise<ThresholdSummary>;
  /** What a proposal is bound to, in a bundle. */
  thresholdsOfBundle(input: {
    model: string;
    bundle: BundleId;
  }): Promise<{ modelVersion: string; thresholdsSha256: string }>;
}
