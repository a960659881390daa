import type { Db } from 'mongodb';
import type { ModelSpec } from '../../schemas/types.js';
import { SluiceError } from '../../platform/errors.js';

const DUPLICATE_KEY = 11000;
const CANNOT_INDEX_PARALLEL_ARRAYS = 171;

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

/**
 * The index of the nightly jobs: it holds every field that they read, in the order of time, so that a window is read from the index alone. Half the
 * server's work of fetching each document, and it does not grow with what else a document holds.
 * @param fields in an order that is always the same: what comes later costs a reader of the earlier ones nothing
 * @returns what to hint; the snapshots' index where a collection cannot have this one, since documents hold lists in two of the fields
 */
export async function ensureWindowIndex(
  db: Db,
  data: ModelSpec['data'],
  fields: readonly string[],
): Promise<Record<string, 1>> {
  const { time } = data.fields;
  const index = Object.fromEntries([time, ...fields.filter((name) => name !== time)].map((name) => [name, 1]));
  try {
    await db.collection(data.collection).createIndex(index);
    return index as Record<string, 1>;
  } catch (error) {
    if ((error as { code?: unknown }).code !== CANNOT_INDEX_PARALLEL_ARRAYS) throw error;
    await ensureIndexes(db, data);
    return streamIndex(data);
  }
}
