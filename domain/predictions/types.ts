import type { Arm } from '../traffic/assign.js';

/** One scored transaction as the prediction log holds it. Deleted some time after `scored_at`. */
export interface Prediction {
  /** `{request_id}/{position in the request}`, and `/candidate` behind it for that arm */
  _id: string;
  request_id: string;
  transaction_id: string;
  customer_id: string;
  booked_at: Date;
  scored_at: Date;
  model: string;
  model_version: string;
  bundle_version: string;
  manifest_sha256: string;
  thresholds_sha256: string;
  /** null for a pinned bundle */
  generation: number | null;
  environment: string;
  replica: string;
  /** which of the bundles that share the traffic scored it; documents of before December 2026 say `live` for the champion */
  arm: Arm;
  /** the request as it came */
  input: Record<string, unknown>;
  /** by name, in the order of the model's input */
  features: Record<string, number>;
  segment: string | null;
  score: number;
  calibrated_probability: number;
  anomaly_score: number;
  decision: 'alert' | 'pass';
  threshold: number;
}

/** What became known of a transaction. One per transaction: a later label replaces an earlier one. */
export interface FeedbackLabel {
  /** the transaction's id */
  _id: string;
  is_fraud: boolean;
  labeled_at: Date;
  /** who says so: a case system, an analyst's file */
  source: string;
  actor: string;
  received_at: Date;
}

/** A prediction with what is known of it at some time: from feedback, else from the transaction itself; null when nobody knows yet. */
export interface LabelledPrediction extends Pick<
  Prediction,
  | 'transaction_id'
  | 'booked_at'
  | 'scored_at'
  | 'model_version'
  | 'features'
  | 'segment'
  | 'score'
  | 'calibrated_probability'
  | 'decision'
> {
  label: boolean | null;
}
