import type { Db } from 'mongodb';
import { COLLECTIONS, openCollection } from '../collections.js';

/** Of these transactions those that have been scored, by any model, or have feedback. One read of an index each. */
export async function judgedTransactions(db: Db, ids: readonly string[]): Promise<Set<string>> {
  const [scored, feedback] = await Promise.all([
    openCollection(db, COLLECTIONS.predictions).distinct('transaction_id', { transaction_id: { $in: [...ids] } }),
    openCollection(db, COLLECTIONS.feedback)
      .find({ _id: { $in: [...ids] } }, { projection: { _id: 1 }, batchSize: ids.length })
      .toArray(),
  ]);
  return new Set([...scored, ...feedback.map(({ _id }) => _id)]);
}
