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

/** With a failure NotEnoughFeedback: what it is the same as long as. A type and no interface, since failures carry plain records. */
export type NotEnoughFeedback = {
  modelVersion: string;
  /** key of the newest proposal that was ever made; null for none */
  newestProposal: string | null;
};

/** queue `data` */
export interface RecalibrationActivities {
  /**
   * Computes and stores a proposal, once per key; asked again, it answers with what was stored.
   * NotEnoughFeedback with too little of it: no data is never a proposal. Conflict where the stored one was made for another model version or
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
