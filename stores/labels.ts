import type { AnyBulkWriteOperation, ClientSession, Db, Document } from 'mongodb';
import type { FeedbackLabel } from '../domain/predictions/types.js';
import type { ModelSpec } from '../schemas/types.js';
import { inTransaction } from '../platform/mongo.js';
import { COLLECTIONS, createIndexes, openCollection, transactionsCollection } from './collections.js';
import type { Violation } from '../platform/validate.js';

/** What someone says of one transaction. */
export interface Label {
  transaction_id: string;
  is_fraud: boolean;
  labeled_at: Date;
  /** where it comes from; the call's own, if left out */
  source?: string;
}

export interface RecordedLabels {
  /** new, or later than what was known */
  recorded: number;
  /** known already */
  unchanged: number;
  /** something as late or later is known, which stays */
  older: number;
  /** transactions whose own label fields were brought up to date, for the next training */
  transactions_updated: number;
  /** labels whose transaction is not in the model's collection; they are kept for when it is scored */
  unknown_transactions: number;
  /** the first of their ids; absent: there are none */
  unknown_ids?: string[];
  refused: RefusedLabel[];
}

export interface RefusedLabel extends Violation {
  /** position in the list */
  index: number;
  value: string;
}

export interface RecordOptions {
  actor: string;
  /** names the list for ever: recorded again, it is answered as the first time; see `ensureBatchIndexes` */
  batchId?: string;
  source: string;
  /** one that is refused refuses all, and nothing is written */
  allOrNone?: boolean;
  now?: Date;
}

/** that an answer names: a list of a thousand may be all unknown */
export const MAX_UNKNOWN_IDS = 20;

const BATCHES_KEPT_DAYS = 30;

/** What recording a list did, for whoever did not hear the answer. */
export interface LabelBatchDocument {
  _id: string;
  result: RecordedLabels;
  recorded_at: Date;
}

/** Lets the answers to lists go after a month. */
export async function ensureBatchIndexes(db: Db): Promise<void> {
  await createIndexes(db, COLLECTIONS.labelBatches, { retentionDays: BATCHES_KEPT_DAYS });
}

/** A sender's clock may be a little ahead of ours. */
const CLOCK_SKEW_MS = 60_000;

type Data = Pick<ModelSpec['data'], 'collection' | 'fields'>;

/**
 * Records what became known of transactions, in one transaction of the database: all or, when it fails, nothing. A later label replaces an earlier
 * one, an earlier one never a later one, and the same one twice is once. The transaction's own label follows, if it is there and not newer.
 * @param labels at most a few thousand
 * @throws whatever MongoDB says
 */
export async function recordLabels(
  db: Db,
  data: Data,
  labels: readonly Label[],
  options: RecordOptions,
): Promise<RecordedLabels> {
  const { now = new Date(), allOrNone = false, batchId } = options;
  const batches = openCollection(db, COLLECTIONS.labelBatches);
  const before = batchId === undefined ? null : await batches.findOne({ _id: batchId });
  if (before !== null) return before.result;
  const bookedAt = await bookingTimes(db, data, [...new Set(labels.map((label) => label.transaction_id))]);
  const refused: RefusedLabel[] = [];
  const accepted: Label[] = [];
  for (const [index, label] of labels.entries()) {
    const message = refusalOf(label, bookedAt.get(label.transaction_id), now);
    if (message === null) accepted.push(label);
    else refused.push({ index, path: '/labeled_at', message, value: label.labeled_at.toISOString() });
  }
  const none = { recorded: 0, unchanged: 0, older: 0, transactions_updated: 0, unknown_transactions: 0, refused };
  if (accepted.length === 0 || (allOrNone && refused.length > 0)) return none;
  return inTransaction(db, async (session) => {
    const { latest, ...counts } = await recordFeedback(db, session, accepted, options, now);
    const result = { ...none, ...counts, ...(await updateTransactions(db, session, data, latest)) };
    // In the same transaction: there is an answer exactly where there are labels.
    if (batchId !== undefined) await batches.insertOne({ _id: batchId, result, recorded_at: now }, { session });
    return result;
  });
}

function refusalOf({ labeled_at }: Label, bookedAt: Date | undefined, now: Date): string | null {
  if (labeled_at.getTime() > now.getTime() + CLOCK_SKEW_MS) return 'must not lie in the future';
  if (bookedAt !== undefined && labeled_at < bookedAt) return 'must not lie before the transaction was booked';
  return null;
}

/** When transactions were booked: by the model's collection, else by the prediction log; nobody may know. */
async function bookingTimes(db: Db, data: Data, ids: string[]): Promise<Map<string, Date>> {
  const { fields } = data;
  const times = new Map<string, Date>();
  const own = openCollection(db, transactionsCollection(data)).find<Document>(
    { [fields.id]: { $in: ids } },
    { projection: { _id: 0, [fields.id]: 1, [fields.time]: 1 } },
  );
  for await (const document of own) {
    const time = document[fields.time] as unknown;
    if (time instanceof Date) times.set(document[fields.id] as string, time);
  }
  const unknown = ids.filter((id) => !times.has(id));
  if (unknown.length === 0) return times;
  const scored = openCollection(db, COLLECTIONS.predictions).find(
    { transaction_id: { $in: unknown } },
    { projection: { _id: 0, transaction_id: 1, booked_at: 1 } },
  );
  for await (const { transaction_id, booked_at } of scored) {
    const known = times.get(transaction_id);
    if (known === undefined || booked_at < known) times.set(transaction_id, booked_at);
  }
  return times;
}

async function recordFeedback(
  db: Db,
  session: ClientSession,
  labels: readonly Label[],
  { actor, source }: RecordOptions,
  now: Date,
): Promise<Pick<RecordedLabels, 'recorded' | 'unchanged' | 'older'> & { latest: Map<string, KnownLabel> }> {
  const feedback = openCollection(db, COLLECTIONS.feedback);
  const ids = labels.map((label) => label.transaction_id);
  const latest = new Map<string, KnownLabel>();
  for await (const known of feedback.find({ _id: { $in: ids } }, { session })) latest.set(known._id, known);
  const changed = new Set<string>();
  let unchanged = 0;
  let older = 0;
  for (const label of labels) {
    const known = latest.get(label.transaction_id);
    const laterBy = known === undefined ? 1 : label.labeled_at.getTime() - known.labeled_at.getTime();
    if (laterBy > 0) {
      // Of two in one list the earlier one is as good as never sent.
      if (changed.has(label.transaction_id)) older += 1;
      changed.add(label.transaction_id);
      latest.set(label.transaction_id, { ...label, source: label.source ?? source });
    } else if (laterBy === 0 && known?.is_fraud === label.is_fraud) unchanged += 1;
    else older += 1;
  }
  const operations = [...changed].flatMap((id): AnyBulkWriteOperation<FeedbackLabel>[] => {
    const label = latest.get(id);
    if (label === undefined) return [];
    const { is_fraud, labeled_at } = label;
    const replacement = { is_fraud, labeled_at, source: label.source ?? source, actor, received_at: now };
    return [{ replaceOne: { filter: { _id: id }, replacement, upsert: true } }];
  });
  if (operations.length > 0) await feedback.bulkWrite(operations, { session, ordered: false });
  return { latest, recorded: changed.size, unchanged, older };
}

type KnownLabel = Pick<Label, 'is_fraud' | 'labeled_at' | 'source'>;

async function updateTransactions(
  db: Db,
  session: ClientSession,
  data: Data,
  latest: ReadonlyMap<string, KnownLabel>,
): Promise<Pick<RecordedLabels, 'transactions_updated' | 'unknown_transactions' | 'unknown_ids'>> {
  const { fields } = data;
  const collection = openCollection(db, transactionsCollection(data));
  const own = collection.find<Document>(
    { [fields.id]: { $in: [...latest.keys()] } },
    { session, projection: { _id: 0, [fields.id]: 1, [fields.label]: 1, [fields.label_time]: 1 } },
  );
  const operations: AnyBulkWriteOperation[] = [];
  const unknown = new Set(latest.keys());
  for await (const document of own) {
    const id = document[fields.id] as string;
    unknown.delete(id);
    const label = latest.get(id);
    if (label === undefined) continue;
    const { is_fraud, labeled_at } = label;
    const value = is_fraud ? 1 : 0;
    const since = document[fields.label_time] as unknown;
    const laterBy = since instanceof Date ? labeled_at.getTime() - since.getTime() : 1;
    if (laterBy < 0 || (laterBy === 0 && document[fields.label] === value)) continue;
    operations.push({
      updateOne: {
        filter: { [fields.id]: id },
        update: { $set: { [fields.label]: value, [fields.label_time]: labeled_at } },
      },
    });
  }
  if (operations.length > 0) await collection.bulkWrite(operations, { session, ordered: false });
  return {
    transactions_updated: operations.length,
    unknown_transactions: unknown.size,
    ...(unknown.size === 0 ? {} : { unknown_ids: [...unknown].slice(0, MAX_UNKNOWN_IDS) }),
  };
}
