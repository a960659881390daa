import type { Prediction } from '../../domain/predictions/types.js';
import type { Batch } from './batch.js';
import { FIGURES } from '../bundles/scored-rows.js';

/** What every prediction of a replica has in common. */
export interface Where {
  environment: string;
  replica: string;
}

/** A batch as the documents of the log. */
export function documentsOf(batch: Batch, { environment, replica }: Where): Prediction[] {
  const documents: Prediction[] = [];
  let body = 0;
  let row = 0;
  let feature = 0;
  for (const { requestId, scoredAtMs, bundle, rows, bodyBytes, segments } of batch.requests) {
    const by = batch.bundles[bundle];
    if (by === undefined) throw new Error(`the batch has no bundle ${bundle}`);
    const { versions, arm, featureNames } = by;
    const parsed: unknown = JSON.parse(new TextDecoder().decode(batch.bodies.subarray(body, body + bodyBytes)));
    const transactions = (Array.isArray(parsed) ? parsed : [parsed]) as Transaction[];
    body += bodyBytes;
    for (let position = 0; position < rows; position++) {
      const input = transactions[position];
      if (input === undefined) throw new Error(`${requestId} has ${rows} answers and fewer transactions`);
      const [score = NaN, calibrated = NaN, anomaly = NaN, threshold = NaN, alert] = batch.figures.subarray(
        row * FIGURES,
        (row + 1) * FIGURES,
      );
      const features: Record<string, number> = {};
      for (const name of featureNames) features[name] = batch.features[feature++] ?? NaN;
      documents.push({
        _id: arm === 'champion' ? `${requestId}/${position}` : `${requestId}/${position}/${arm}`,
        request_id: requestId,
        transaction_id: input.transaction_id,
        customer_id: input.customer_id,
        booked_at: new Date(input.booked_at),
        scored_at: new Date(scoredAtMs),
        model: versions.model,
        model_version: versions.model_version,
        bundle_version: versions.bundle_version,
        manifest_sha256: versions.manifest_sha256,
        thresholds_sha256: versions.thresholds_sha256,
        generation: versions.generation,
        environment,
        replica,
        arm,
        input,
        features,
        segment: segments[position] ?? null,
        score,
        calibrated_probability: calibrated,
        anomaly_score: anomaly,
        decision: alert === 1 ? 'alert' : 'pass',
        threshold,
      });
      row += 1;
    }
  }
  return documents;
}

/** The fields that every request schema has. */
type Transaction = Record<string, unknown> & { transaction_id: string; customer_id: string; booked_at: string };
