import type { Db } from 'mongodb';
import { isDuplicateKey } from '../../platform/mongo.js';
import { SluiceError } from '../../platform/errors.js';
import type { ModelSpec } from '../../schemas/types.js';
import { createIndexes, openCollection, streamIndex, transactionsCollection } from '../collections.js';

const CANNOT_INDEX_PARALLEL_ARRAYS = 171;

/** Creates what snapshots and imports need; a no-op where it exists. */
export async function ensureTransactionIndexes(db: Db, data: ModelSpec['data']): Promise<void> {
  try {
    await createIndexes(db, transactionsCollection(data));
  } catch (error) {
    if (!isDuplicateKey(error)) throw error;
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
  const index = Object.fromEntries(
    [time, ...fields.filter((name) => name !== time)].map((name) => [name, 1]),
  ) as Record<string, 1>;
  try {
    await openCollection(db, transactionsCollection(data)).createIndex(index);
    return index;
  } catch (error) {
    if ((error as { code?: unknown }).code !== CANNOT_INDEX_PARALLEL_ARRAYS) throw error;
    await ensureTransactionIndexes(db, data);
    return streamIndex(data);
  }
}
