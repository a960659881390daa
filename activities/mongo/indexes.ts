import type { Db } from 'mongodb';
import type { ModelSpec } from '../../schemas/types.js';
import { SluiceError } from '../../platform/errors.js';

const DUPLICATE_KEY = 11000;

/** The index that snapshots stream over: it gives the order and answers the maturity condition without the documents. */
export function streamIndex({ fields }: ModelSpec['data']): Record<string, 1> {
  return { [fields.time]: 1, [fields.id]: 1, [fields.label_time]: 1 };
}

/** Creates what snapshots and imports need; a no-op where it exists. */
export async function ensureIndexes(db: Db, data: ModelSpec['data']): Promise<void> {
  const collection = db.collection(data.collection);
  try {
    await collection.createIndex({ [data.fields.id]: 1 }, { unique: true });
    await collection.createIndex(streamIndex(data));
  } catch (error) {
    if ((error as { code?: unknown }).code !== DUPLICATE_KEY) throw error;
    throw new SluiceError(
      'InvalidInput',
      `${data.collection} holds several documents with the same ${data.fields.id}: ${(error as Error).message}. Remove the duplicates.`,
    );
  }
}
