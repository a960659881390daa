import type { ModelSpec, ReferenceProfile } from '../../schemas/types.js';

/** The model's `drift` section. */
export type DriftPolicy = ModelSpec['drift'];

/** What a window is compared with: the live bundle's profile of its training data, and its manifest's figures. */
export interface DriftReference {
  model: string;
  modelVersion: string;
  bundleVersion: string;
  profile: ReferenceProfile;
  /** the held-out figures of the manifest: precision, recall, auc_pr … */
  metrics: Readonly<Record<string, number | null>>;
}

/**
 * What was scored in a window, a row a transaction, as columns of one length and in any order. Typed arrays keep a week of a large bank in tens
 * of megabytes. NaN is "no value" everywhere.
 */
export interface DriftWindow {
  /** ISO; rows are booked in [from, to) */
  from: string;
  to: string;
  bookedAtMs: ArrayLike<number>;
  /** feature name → values as the model saw them, so with the null policy's values in them */
  features: Readonly<Record<string, ArrayLike<number>>>;
  /** calibrated probability */
  calibrated: ArrayLike<number>;
  segments: readonly (string | null)[];
  /** 1 where the decision was an alert, else 0 */
  alerts: ArrayLike<number>;
  /** scored rows that are old enough for their labels to be final, of an earlier window; null when there are none */
  matured: MaturedRows | null;
}

export interface MaturedRows {
  from: string;
  to: string;
  calibrated: ArrayLike<number>;
  alerts: ArrayLike<number>;
  /** 1 for a fraud, else 0 */
  labels: ArrayLike<number>;
}
