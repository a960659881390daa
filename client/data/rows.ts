import type { Db, Document } from 'mongodb';
import { requestFields } from '../../domain/features/check-model.js';
import type { FeedbackLabel } from '../../domain/predictions/types.js';
import type { LoadedModel } from '../../platform/models.js';
import { COLLECTIONS, openCollection } from '../../stores/collections.js';
import { deletionsOf, findTransactions, twinsOf, type DeletionDocument } from '../../stores/transactions/rows.js';

/** What is stored of one transaction id. */
export interface ShownRow {
  id: string;
  /** as it is stored; null where there is none */
  transaction: Document | null;
  /** ids of transactions that say the same */
  same_as: string[];
  /** the newest label that was sent for it */
  label: FeedbackLabel | null;
  /** how often it was scored, as far as the prediction log goes back */
  predictions: number;
  /** deletions of it, newest first */
  deleted: Pick<DeletionDocument, 'actor' | 'reason' | 'at' | 'sha256'>[];
}

/** What MongoDB holds of these transactions, in the order asked for. */
export async function readRows(db: Db, model: LoadedModel, ids: readonly string[]): Promise<ShownRow[]> {
  const { data } = model.spec;
  const [found, deletions] = await Promise.all([findTransactions(db, data, ids), deletionsOf(db, data, ids)]);
  const byId = new Map(found.map((document) => [String(document[data.fields.id]), document]));
  const fields = [...requestFields(model.requestSchema).keys()];
  return Promise.all(
    ids.map(async (id): Promise<ShownRow> => {
      const transaction = byId.get(id) ?? null;
      return {
        id,
        transaction,
        same_as: transaction === null ? [] : await twinsOf(db, data, fields, transaction),
        label: await openCollection(db, COLLECTIONS.feedback).findOne({ _id: id }),
        predictions: await openCollection(db, COLLECTIONS.predictions).countDocuments({
          transaction_id: id,
          model: model.spec.model,
        }),
        deleted: deletions
          .filter(({ transaction_id }) => transaction_id === id)
          .map(({ actor, reason, at, sha256 }) => ({ actor, reason, at, sha256 })),
      };
    }),
  );
}

/** A transaction for people: its fields, a line each, and what else is known of it. */
export function rowText({ id, transaction, same_as, label, predictions, deleted }: ShownRow): string {
  const fields = Object.entries(transaction ?? {}).map(
    ([name, value]) => `  ${name.padEnd(18)} ${value instanceof Date ? value.toISOString() : JSON.stringify(value)}`,
  );
  return [
    transaction === null ? `${id}: there is no such transaction` : id,
    ...fields,
    ...(same_as.length === 0 ? [] : [`  the same in all but the id: ${same_as.join(', ')}`]),
    ...(label === null
      ? []
      : [`  label: is_fraud ${label.is_fraud ? 1 : 0}, ${label.labeled_at.toISOString()}, by ${label.source}`]),
    ...(predictions === 0 ? [] : [`  scored ${predictions} ${predictions === 1 ? 'time' : 'times'}`]),
    ...deleted.map(({ actor, reason, at }) => `  deleted ${at.toISOString()} by ${actor}: ${reason}`),
  ].join('\n');
}
