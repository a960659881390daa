/** Rows of the training data through a bundle: its lookups, its model, its thresholds. Columns of one length, in any order. */
export interface ReferenceRows {
  bookedAtMs: ArrayLike<number>;
  /** feature name → values as the model sees them */
  features: Readonly<Record<string, ArrayLike<number>>>;
  /** field of the request → its texts */
  inputs: Readonly<Record<string, readonly (string | null)[]>>;
  calibrated: ArrayLike<number>;
  alerts: ArrayLike<number>;
  /** 1 for a fraud, else 0 */
  labels: ArrayLike<number>;
  /** 1 for a row that the model was not fitted on */
  heldOut: ArrayLike<number>;
  segments: readonly (string | null)[];
}
