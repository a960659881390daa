import type { Collection, Db } from 'mongodb';
import { PREDICTION_COLLECTION, type Prediction } from '../../domain/predictions/types.js';

const DAY_SECONDS = 86_400;
/** mongod's answer to an index that exists with other options */
const INDEX_OPTIONS_CONFLICT = 85;

/** In the order in which predictions are read: by booking time within a model and environment, scorings of one transaction side by side. */
export const PREDICTION_STREAM_INDEX = { model: 1, environment: 1, booked_at: 1, transaction_id: 1 } as const;
/** Every scoring of a transaction, without reading the documents. */
export const PREDICTION_TRANSACTION_INDEX = { transaction_id: 1, model: 1, environment: 1, booked_at: 1 } as const;

/** The prediction log of a database. */
export function predictionsOf(db: Db): Collection<Prediction> {
  return db.collection<Prediction>(PREDICTION_COLLECTION);
}

/**
 * Creates the prediction log's indexes; a no-op where they exist. MongoDB deletes a prediction `retentionDays` after it was scored; another
 * number than before takes effect at once, on what is there as well.
 */
export async function ensurePredictionIndexes(db: Db, { retentionDays }: { retentionDays: number }): Promise<void> {
  const predictions = predictionsOf(db);
  await predictions.createIndex(PREDICTION_STREAM_INDEX);
  await predictions.createIndex(PREDICTION_TRANSACTION_INDEX);
  const expireAfterSeconds = Math.round(retentionDays * DAY_SECONDS);
  try {
    await predictions.createIndex({ scored_at: 1 }, { expireAfterSeconds });
  } catch (error) {
    if ((error as { code?: unknown }).code !== INDEX_OPTIONS_CONFLICT) throw error;
    await db.command({
      collMod: PREDICTION_COLLECTION,
      index: { keyPattern: { scored_at: 1 }, expireAfterSeconds },
    });
  }
}
