import type { Db, Document } from 'mongodb';
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
    db
      .collection(data.collection)
      .find<Document>(
        { [fields.id]: { $in: ids }, [fields.label_time]: { $lte: asOf } },
        { projection: { _id: 0, [fields.id]: 1, [fields.label]: 1 }, batchSize: ids.length },
      )
      .toArray(),
    db
      .collection<FeedbackLabel>(FEEDBACK_COLLECTION)
      .find({ _id: { $in: ids }, labeled_at: { $lte: asOf } }, { projection: { is_fraud: 1 }, batchSize: ids.length })
      .toArray(),
  ]);
  const labels = new Map<string, boolean>();
  for (const document of own) {
    const label = asLabel(document[fields.label]);
    if (label !== null) labels.set(document[fields.id] as string, label);
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
