import type { ModelSpec, ReferenceDays, ReferenceProfile } from '../../schemas/types.js';

/** The model's `drift` section. */
export type DriftPolicy = ModelSpec['drift'];

/** What a window is compared with: the training data through the live bundle's own lookups, model and thresholds. */
export interface DriftReference {
  model: string;
  modelVersion: string;
  bundleVersion: string;
  profile: ReferenceProfile;
  /** the training data day by day; null where only the profile is left, so that nobody can say how much usual days differ */
  days: ReferenceDays | null;
  /** bundle → the same days through its lookups, for those that answered before this one went live */
  earlier: Readonly<Record<string, ReferenceDays>>;
  /** the held-out figures of the manifest: precision, recall, auc_pr … */
  metrics: Readonly<Record<string, number | null>>;
}

/**
 * What was scored in a window, a row a transaction, as columns of one length and in any order. Typed arrays keep a week of a large bank in tens
 * of megabytes. NaN is "no value" everywhere.
 */
export interface DriftWindow {
  /** ISO; rows are booked in [from, to). Days are counted back from `to`. */
  from: string;
  to: string;
  bookedAtMs: ArrayLike<number>;
  /** feature name → values as the model saw them, so with the null policy's values in them */
  features: Readonly<Record<string, ArrayLike<number>>>;
  /** the bundle that answered; of every row or of none */
  bundles: readonly string[];
  /** field of the request → its texts as they came; of those fields that the reference counts */
  inputs: Readonly<Record<string, readonly (string | null)[]>>;
  /** calibrated probability */
  calibrated: ArrayLike<number>;
  segments: readonly (string | null)[];
  /** 1 where the decision was an alert, else 0 */
  alerts: ArrayLike<number>;
  /** rows of this window that are known as frauds already; null where nobody looked */
  knownFrauds: KnownFrauds | null;
  /** scored rows that are old enough for their labels to be final, of an earlier window; null when there are none */
  matured: MaturedRows | null;
}

export interface KnownFrauds {
  bookedAtMs: ArrayLike<number>;
  calibrated: ArrayLike<number>;
  alerts: ArrayLike<number>;
}

export interface MaturedRows {
  from: string;
  to: string;
  bookedAtMs: ArrayLike<number>;
  calibrated: ArrayLike<number>;
  alerts: ArrayLike<number>;
  /** 1 for a fraud, else 0 */
  labels: ArrayLike<number>;
}
