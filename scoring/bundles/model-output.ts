import { SluiceError } from '../../platform/errors.js';

export interface ModelOutput {
  /** raw score per row: the positive class's probability before calibration */
  scores: Float32Array;
  /** anomaly score per row; higher is more anomalous */
  anomalies: Float32Array;
}

/** @throws SluiceError IntegrityError for a figure that is not a finite number */
export function mustBeFinite({ scores, anomalies }: ModelOutput): void {
  for (let row = 0; row < scores.length; row += 1) {
    if (Number.isFinite(scores[row]) && Number.isFinite(anomalies[row])) continue;
    throw new SluiceError(
      'IntegrityError',
      `the models answered row ${row} with ${scores[row]} and ${anomalies[row]}: not finite numbers`,
    );
  }
}
