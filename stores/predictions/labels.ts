import type { Db } from 'mongodb';
import { timedAggregation } from '../../platform/mongo-timing.js';
import { COLLECTIONS, openCollection, transactionsCollection } from '../collections.js';
import type { ModelSpec } from '../../schemas/types.js';

const DAY_MS = 86_400_000;

interface Booked {
  transaction_id: string;
  booked_at: Date;
}

/**
 * What was known of transactions at a time: from feedback, else from the model's own collection; null of those that nobody knew anything of, and of
 * those that were younger than the maturity.
 * @param transactions the answer's function knows these and no others
 */
export async function knownLabels(
  db: Db,
  data: Pick<ModelSpec['data'], 'collection' | 'fields' | 'label_maturity_days'>,
  transactions: readonly Booked[],
  asOf: Date,
): Promise<(transaction: Booked) => boolean | null> {
  const { fields } = data;
  const matureAt = asOf.getTime() - data.label_maturity_days * DAY_MS;
  const isMature = ({ booked_at }: Booked): boolean => booked_at.getTime() <= matureAt;
  const ids = transactions.filter(isMature).map(({ transaction_id }) => transaction_id);
  if (ids.length === 0) return () => null;
  const [own, feedback] = await Promise.all([
    // Lists of ids by label: a tenth of the work that a document for each would be.
    timedAggregation(data.collection, () =>
      openCollection(db, transactionsCollection(data))
        .aggregate<{ _id: unknown; ids: string[] }>([
          { $match: { [fields.id]: { $in: ids }, [fields.label_time]: { $lte: asOf } } },
          { $group: { _id: `$${fields.label}`, ids: { $push: `$${fields.id}` } } },
        ])
        .toArray(),
    ),
    openCollection(db, COLLECTIONS.feedback)
      .find({ _id: { $in: ids }, labeled_at: { $lte: asOf } }, { projection: { is_fraud: 1 }, batchSize: ids.length })
      .toArray(),
  ]);
  const labels = new Map<string, boolean>();
  for (const { _id: value, ids: those } of own) {
    const label = asLabel(value);
    if (label !== null) for (const id of those) labels.set(id, label);
  }
  for (const { _id, is_fraud } of feedback) labels.set(_id, is_fraud);
  // Booked twice, early and late: the early one's label is not the late one's yet.
  return (transaction) => (isMature(transaction) ? (labels.get(transaction.transaction_id) ?? null) : null);
}

/** Transactions carry their label as 0 or 1; anything else is no label. */
function asLabel(value: unknown): boolean | null {
  if (value === 0 || value === false) return false;
  if (value === 1 || value === true) return true;
  return null;
}
