import type { Db } from 'mongodb';
import { FEEDBACK_COLLECTION, type FeedbackLabel } from '../../domain/predictions/types.js';
import type { ModelSpec } from '../../schemas/types.js';

const DAY_MS = 86_400_000;

/**
 * The labels that were known at a time, by transaction: feedback before the model's own collection. A transaction that was younger than the
 * maturity has none yet.
 */
export async function knownLabels(
  db: Db,
  data: Pick<ModelSpec['data'], 'collection' | 'fields' | 'label_maturity_days'>,
  transactions: readonly { transaction_id: string; booked_at: Date }[],
  asOf: Date,
): Promise<ReadonlyMap<string, boolean>> {
  const { fields } = data;
  const matureAt = asOf.getTime() - data.label_maturity_days * DAY_MS;
  const ids = transactions
    .filter(({ booked_at }) => booked_at.getTime() <= matureAt)
    .map(({ transaction_id }) => transaction_id);
  if (ids.length === 0) return new Map();
  const [own, feedback] = await Promise.all([
    // Lists of ids by label: a tenth of the work that a document for each would be.
    db
      .collection(data.collection)
      .aggregate<{ _id: unknown; ids: string[] }>([
        { $match: { [fields.id]: { $in: ids }, [fields.label_time]: { $lte: asOf } } },
        { $group: { _id: `$${fields.label}`, ids: { $push: `$${fields.id}` } } },
      ])
      .toArray(),
    db
      .collection<FeedbackLabel>(FEEDBACK_COLLECTION)
      .find({ _id: { $in: ids }, labeled_at: { $lte: asOf } }, { projection: { is_fraud: 1 }, batchSize: ids.length })
      .toArray(),
  ]);
  const labels = new Map<string, boolean>();
  for (const { _id: value, ids: those } of own) {
    const label = asLabel(value);
    if (label !== null) for (const id of those) labels.set(id, label);
  }
  for (const { _id, is_fraud } of feedback) labels.set(_id, is_fraud);
  return labels;
}

/** Transactions carry their label as 0 or 1; anything else is no label. */
function asLabel(value: unknown): boolean | null {
  if (value === 0 || value === false) return false;
  if (value === 1 || value === true) return true;
  return null;
}
