import type { Notice } from '../../domain/features/refusal.js';

/** per row: score, calibrated probability, anomaly score, threshold, 1 for an alert */
export const FIGURES = 5;

/** In `decidedBy`: no rule matched, the threshold decided. */
export const BY_THRESHOLD = -1;

/** Scored transactions in columns: what the answer is written from, and what the prediction log takes as it is. */
export interface ScoredRows {
  rows: number;
  /** rows × features, row by row */
  features: Float32Array;
  /** rows × `FIGURES` */
  figures: Float64Array;
  /** by row: the place of the rule that decided among the bundle's rules, or `BY_THRESHOLD` */
  decidedBy: Int32Array;
  /** by row: the segment whose threshold applies; null where the row has none */
  segments: readonly (string | null)[];
  /** by row: null policies that were applied, and what else is to be said */
  notices: readonly (readonly Notice[])[];
}
