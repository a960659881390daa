import type { Collection, CollectionOptions, Db, Document, IndexDescription } from 'mongodb';
import type { FeedbackLabel, Prediction } from '../domain/predictions/types.js';
import type { Fixing } from '../domain/lookups/fixings.js';
import type { AuditEntry, FraudParams, ModelSpec } from '../schemas/types.js';
import type { DecisionDocument } from './decision-log.js';
import type { DriftReportDocument, DriftSnapshotDocument } from './drift/reports.js';
import type { RetrainingsDocument } from './drift/retrainings.js';
import type { ImportDocument } from './imports.js';
import type { LabelBatchDocument } from './labels.js';
import type { DeliveryRecord } from './notification-ledger.js';
import type { GenerationMark, ReplicaRecord } from './replica-registry.js';
import type { PinDocument } from './retention/pins.js';
import type { DeletionDocument } from './transactions/rows.js';
import type { VerdictDocument } from './rollout-verdicts.js';

/**
 * Every collection that Sluice has in MongoDB, in one list. Nothing outside `stores/` opens a collection, and nothing outside this file spells out a
 * name (`test/unit/stores.test.ts`). Names of collections and fields are part of what users have stored: they never change.
 */
export interface StoredCollection<T extends Document> {
  name: string;
  /** what one document is */
  document: string;
  writtenBy: string;
  /** how long a document stays */
  retention: string;
  /** besides the one on `_id`; created by `createIndexes`, when the first writer of a process asks for them */
  indexes: readonly IndexDescription[];
  /** the field by whose age MongoDB deletes documents */
  expiresBy?: string;
  options?: CollectionOptions;
  /** no value: the type of a document */
  readonly type?: T;
}

/**
 * For what must not be lost once it is acknowledged: an unacknowledged or unjournaled write could be lost after the pointer has moved or the message
 * has been sent, and the record of it with it.
 */
const DURABLE: CollectionOptions = {
  writeConcern: { w: 'majority', journal: true },
  readConcern: { level: 'majority' },
  readPreference: 'primary',
};

/** In the order in which predictions are read: by booking time within a model and environment, scorings of one transaction side by side. */
export const PREDICTION_STREAM_INDEX = { model: 1, environment: 1, booked_at: 1, transaction_id: 1 } as const;
/** Every scoring of a transaction, without reading the documents. */
export const PREDICTION_TRANSACTION_INDEX = { transaction_id: 1, model: 1, environment: 1, booked_at: 1 } as const;

export const COLLECTIONS = {
  auditLog: collection<AuditEntry>({
    name: 'audit_log',
    document: 'one effective change of a pointer, chained to the one before it by its hash',
    writtenBy: 'activities/pointer',
    retention: 'for ever',
    indexes: [
      { key: { seq: 1 }, unique: true },
      { key: { put_id: 1 }, unique: true },
      { key: { model: 1, environment: 1, generation: 1 }, unique: true },
    ],
    options: DURABLE,
  }),
  decisionLog: collection<DecisionDocument>({
    name: 'decision_log',
    document: 'one answer to the question whether somebody may decide or do something, refusals too',
    writtenBy: 'activities/approval',
    retention: 'for ever',
    indexes: [],
    options: DURABLE,
  }),
  notifications: collection<DeliveryRecord>({
    name: 'notifications',
    document: 'one notification through one channel, and what became of it',
    writtenBy: 'activities/notification',
    retention: 'for ever',
    indexes: [],
    options: DURABLE,
  }),
  rolloutVerdicts: collection<VerdictDocument>({
    name: 'rollout_verdicts',
    document: 'the verdict on one generation of a pointer: live and smoke-tested, or rolled back',
    writtenBy: 'activities/rollout',
    retention: 'for ever',
    indexes: [],
  }),
  replicas: collection<ReplicaRecord>({
    name: 'scoring_replicas',
    document: 'one scoring replica, what it serves, and the end of its lease',
    writtenBy: 'scoring, each replica its own',
    retention: 'until the replica stops; one that died stays, with a lease that has run out',
    indexes: [],
  }),
  generationMarks: collection<GenerationMark>({
    name: 'generation_marks',
    document: 'the highest generation that any replica of a model and environment ever served; it only rises',
    writtenBy: 'scoring, through stores/replica-registry.ts',
    retention: 'for ever',
    indexes: [],
  }),
  pins: collection<PinDocument>({
    name: 'artifact_pins',
    document: 'one bundle that a person wants kept',
    writtenBy: '`sluice artifacts pin`',
    retention: 'until it is unpinned',
    indexes: [],
    options: DURABLE,
  }),
  predictions: collection<Prediction>({
    name: 'prediction_log',
    document: 'one scored transaction: input, features, result, and which versions made it',
    writtenBy: "scoring, a thread of each replica's own",
    retention: 'days after `scored_at`, a setting of the scorer (SCORER_PREDICTION_RETENTION_DAYS)',
    indexes: [{ key: PREDICTION_STREAM_INDEX }, { key: PREDICTION_TRANSACTION_INDEX }],
    expiresBy: 'scored_at',
  }),
  feedback: collection<FeedbackLabel>({
    name: 'feedback_labels',
    document: 'what is known of one transaction: fraud or not, since when, and who says so',
    writtenBy: 'scoring (POST /v1/feedback) and ingest, both through stores/labels.ts',
    retention: 'for ever; a later label replaces an earlier one',
    indexes: [],
  }),
  labelBatches: collection<LabelBatchDocument>({
    name: 'label_batches',
    document: 'what recording one list of labels did, for whoever did not hear the answer',
    writtenBy: 'activities/labels, through stores/labels.ts',
    retention: '30 days',
    indexes: [],
    expiresBy: 'recorded_at',
  }),
  deletedTransactions: collection<DeletionDocument>({
    name: 'deleted_transactions',
    document: 'that one transaction was deleted: by whom, why, and the digest of what it was',
    writtenBy: 'activities/transactions',
    retention: 'for ever',
    indexes: [{ key: { collection: 1, transaction_id: 1 } }, { key: { deletion_id: 1 } }],
    options: DURABLE,
  }),
  imports: collection<ImportDocument>({
    name: 'imports',
    document: 'one file of transactions that was imported to its end, and the summary of it',
    writtenBy: 'ingest',
    retention: 'for ever',
    indexes: [],
  }),
  fraudParams: collection<FraudParams>({
    name: 'fraud_params',
    document: 'robust statistics as one nightly job made them, for readers of the database',
    writtenBy: 'activities/refresh',
    retention: 'for ever',
    indexes: [],
  }),
  driftReports: collection<DriftReportDocument>({
    name: 'drift_reports',
    document: 'one day of drift monitoring in short; the report itself is in S3',
    writtenBy: 'activities/drift',
    retention: 'for ever',
    indexes: [],
  }),
  driftSnapshots: collection<DriftSnapshotDocument>({
    name: 'drift_snapshots',
    document: 'the distributions of one week',
    writtenBy: 'activities/drift',
    retention: 'for ever',
    indexes: [],
  }),
  retrainings: collection<RetrainingsDocument>({
    name: 'retrainings',
    document: "one model's claims on a retraining, oldest first",
    writtenBy: 'activities/drift',
    retention: 'the newest 500 claims of a model',
    indexes: [],
  }),
};

type Data = Pick<ModelSpec['data'], 'collection' | 'fields'>;

/** A model's own transactions; the spec names the collection and its fields. */
export function transactionsCollection({ collection: name, fields }: Data): StoredCollection<Document> {
  return {
    name,
    document: 'one transaction as it was booked, with its label once that is known',
    writtenBy: 'ingest, or whoever owns the data; labels by stores/labels.ts',
    retention: 'not ours to say',
    indexes: [{ key: { [fields.id]: 1 }, unique: true }, { key: streamIndex({ fields }) }],
  };
}

/** The index that snapshots stream over: it gives the order and answers the maturity condition without the documents. */
export function streamIndex({ fields }: Pick<Data, 'fields'>): Record<string, 1> {
  return { [fields.time]: 1, [fields.id]: 1, [fields.label_time]: 1 };
}

/** The exchange rates that a model converts with; the spec names the collection. */
export function fixingsCollection({
  fixings_collection: name,
}: Pick<ModelSpec['data'], 'fixings_collection'>): StoredCollection<Fixing> {
  return {
    name,
    document: "one day's exchange rates; `_id` is the day",
    writtenBy: 'ingest and activities/refresh/fx',
    retention: 'for ever',
    indexes: [],
  };
}

/** Opens a collection of the list, with the options that everyone who opens it must use. */
export function openCollection<T extends Document>(db: Db, { name, options }: StoredCollection<T>): Collection<T> {
  return db.collection<T>(name, options);
}

const DAY_SECONDS = 86_400;
/** mongod's answer to an index that exists with other options */
const INDEX_OPTIONS_CONFLICT = 85;

/**
 * Creates the indexes of a collection; a no-op where they exist.
 * @param settings.retentionDays after which documents are deleted, of a collection that has `expiresBy`. Another number than before takes effect at
 * once, on what is there as well.
 */
export async function createIndexes<T extends Document>(
  db: Db,
  stored: StoredCollection<T>,
  { retentionDays }: { retentionDays?: number } = {},
): Promise<void> {
  const opened = openCollection(db, stored);
  for (const { key, ...options } of stored.indexes) await opened.createIndex(key, options);
  if (stored.expiresBy === undefined || retentionDays === undefined) return;
  const keyPattern = { [stored.expiresBy]: 1 } as const;
  const expireAfterSeconds = Math.round(retentionDays * DAY_SECONDS);
  try {
    await opened.createIndex(keyPattern, { expireAfterSeconds });
  } catch (error) {
    if ((error as { code?: unknown }).code !== INDEX_OPTIONS_CONFLICT) throw error;
    await db.command({ collMod: stored.name, index: { keyPattern, expireAfterSeconds } });
  }
}

function collection<T extends Document>(stored: StoredCollection<T>): StoredCollection<T> {
  return stored;
}
