import type { Db } from 'mongodb';
import type { ModelSpec } from '../../schemas/types.js';
import { COLLECTIONS, openCollection, transactionsCollection } from '../collections.js';

/**
 * Transactions that are known as frauds at `asOf`, however young they are: from feedback, which also takes back, else from the model's own
 * collection. Of the others nobody can say yet what they are.
 * @param booked of the transactions, ISO, [from, to)
 */
export async function knownFrauds(
  db: Db,
  data: Pick<ModelSpec['data'], 'collection' | 'fields'>,
  booked: { from: string; to: string },
  asOf: string,
): Promise<Set<string>> {
  const { fields } = data;
  const [from, to, known] = [new Date(booked.from), new Date(booked.to), new Date(asOf)];
  const found = new Set<string>();
  const own = openCollection(db, transactionsCollection(data)).find(
    {
      [fields.time]: { $gte: from, $lt: to },
      [fields.label_time]: { $lte: known },
      [fields.label]: { $in: [1, true] },
    },
    { projection: { _id: 0, [fields.id]: 1 } },
  );
  for await (const document of own) {
    const id: unknown = document[fields.id];
    if (typeof id === 'string') found.add(id);
  }
  // No label is older than what it is of.
  const feedback = openCollection(db, COLLECTIONS.feedback).find(
    { labeled_at: { $gte: from, $lte: known } },
    { projection: { is_fraud: 1 } },
  );
  for await (const { _id, is_fraud } of feedback) {
    if (is_fraud) found.add(_id);
    else found.delete(_id);
  }
  return found;
}
