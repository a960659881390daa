import { BSON, type Db, type Document } from 'mongodb';
import { sha256Hex } from '../../domain/bundle/digest.js';
import { inTransaction } from '../../platform/mongo.js';
import type { ModelSpec } from '../../schemas/types.js';
import { COLLECTIONS, createIndexes, openCollection, transactionsCollection } from '../collections.js';

type Data = Pick<ModelSpec['data'], 'collection' | 'fields'>;

/** That a transaction was deleted: who wanted it and why, and the digest of what it was, without what it said. */
export interface DeletionDocument {
  /** `{deletion_id}/{transaction_id}` */
  _id: string;
  deletion_id: string;
  /** the model's collection of transactions */
  collection: string;
  transaction_id: string;
  /** of the document as extended JSON, `_id` left out */
  sha256: string;
  actor: string;
  reason: string;
  at: Date;
}

/** Transactions by their ids, in no order; one that is not there is left out. */
export function findTransactions(db: Db, data: Data, ids: readonly string[]): Promise<Document[]> {
  return openCollection(db, transactionsCollection(data))
    .find({ [data.fields.id]: { $in: ids } }, { projection: { _id: 0 } })
    .toArray();
}

/**
 * The ids of transactions that say the same: the rows that a data check counts as duplicates of each other.
 * @param fields of a request, the id among them
 */
export async function twinsOf(db: Db, data: Data, fields: Iterable<string>, transaction: Document): Promise<string[]> {
  const { id, time } = data.fields;
  const compared = [...fields].filter((name) => name !== id);
  const content = (document: Document): string =>
    JSON.stringify(compared.map((name) => (document[name] as unknown) ?? null));
  const sameTime = await openCollection(db, transactionsCollection(data))
    .find({ [time]: transaction[time] as unknown, [id]: { $ne: transaction[id] as unknown } })
    .toArray();
  return sameTime
    .filter((other) => content(other) === content(transaction))
    .map((other) => String(other[id]))
    .sort();
}

/**
 * Deletes transactions and records that, in one transaction of the database. One that is not there is deleted already.
 * @param deletion.id names the request for ever: asked again, it deletes nothing more and answers as the first time
 * @returns what this request has deleted
 */
export async function deleteTransactions(
  db: Db,
  data: Data,
  ids: readonly string[],
  { id: deletionId, ...by }: { id: string; actor: string; reason: string; at: Date },
): Promise<DeletionDocument[]> {
  await createIndexes(db, COLLECTIONS.deletedTransactions);
  const deletions = openCollection(db, COLLECTIONS.deletedTransactions);
  const before = await deletions.find({ deletion_id: deletionId }).toArray();
  if (before.length > 0) return before;
  return inTransaction(db, async (session) => {
    const transactions = openCollection(db, transactionsCollection(data));
    const wanted = { [data.fields.id]: { $in: ids } };
    const found = await transactions.find(wanted, { projection: { _id: 0 }, session }).toArray();
    const records = found.map((document): DeletionDocument => {
      const transactionId = String(document[data.fields.id]);
      return {
        _id: `${deletionId}/${transactionId}`,
        deletion_id: deletionId,
        collection: data.collection,
        transaction_id: transactionId,
        sha256: sha256Hex(BSON.EJSON.stringify(document)),
        ...by,
      };
    });
    if (records.length === 0) return [];
    await deletions.insertMany(records, { session });
    await transactions.deleteMany(wanted, { session });
    return records;
  });
}

/** When these transactions were deleted, newest first. */
export function deletionsOf(db: Db, { collection }: Data, ids: readonly string[]): Promise<DeletionDocument[]> {
  return openCollection(db, COLLECTIONS.deletedTransactions)
    .find({ collection, transaction_id: { $in: ids } })
    .sort({ at: -1 })
    .toArray();
}

/** How many transactions of a collection were deleted on purpose. */
export function countDeletions(db: Db, { collection }: Pick<Data, 'collection'>): Promise<number> {
  return openCollection(db, COLLECTIONS.deletedTransactions).countDocuments({ collection });
}
