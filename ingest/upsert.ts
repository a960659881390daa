import type { AnyBulkWriteOperation, Collection, Document } from 'mongodb';
import { isDuplicateKey } from '../platform/mongo.js';
import { keep, type ImportSummary } from './summary.js';

/**
 * Brings a batch of documents in, by the field that names them, writing only what differs: a second run of the same batch changes nothing.
 * @param documents with different keys; `_id` may be the key
 * @param stored gives a document the types it is stored with
 * @param mustStay of keys whose documents would be changed, those that are left as they are
 */
export async function upsertChanged(
  collection: Collection,
  key: string,
  documents: readonly Document[],
  summary: Pick<ImportSummary, 'inserted' | 'updated' | 'unchanged' | 'kept'>,
  stored: (document: Document) => Document,
  mustStay: (keys: string[]) => Promise<ReadonlySet<string>> = () => Promise.resolve(new Set()),
): Promise<void> {
  if (documents.length === 0) return;
  const keys = documents.map((document) => document[key] as unknown);
  const found = await collection.find({ [key]: { $in: keys } }).toArray();
  const byKey = new Map(found.map((document) => [document[key] as unknown, document]));
  const fresh = documents.filter((document) => !byKey.has(document[key]));
  const changed = documents.filter((document) => {
    const before = byKey.get(document[key]);
    return before !== undefined && Object.keys(document).some((name) => !same(before[name], document[name]));
  });
  const staying = changed.length === 0 ? new Set() : await mustStay(changed.map((document) => String(document[key])));
  const [kept, replaced] = partition(changed, (document) => staying.has(String(document[key])));
  const operations: AnyBulkWriteOperation[] = [
    ...fresh.map((document) => ({ insertOne: { document: stored(document) } })),
    ...replaced.map((document) => {
      const { [key]: value, ...rest } = stored(document);
      return { updateOne: { filter: { [key]: value as never }, update: { $set: rest } } };
    }),
  ];
  try {
    if (operations.length > 0) await collection.bulkWrite(operations, { ordered: false });
  } catch (error) {
    // A rival import inserted some of them since we looked; now that they are there, they are compared.
    if (isDuplicateKey(error)) return upsertChanged(collection, key, documents, summary, stored, mustStay);
    throw error;
  }
  summary.inserted += fresh.length;
  summary.updated += replaced.length;
  summary.unchanged += documents.length - fresh.length - changed.length;
  keep(
    summary,
    kept.map((document) => String(document[key])),
  );
}

function partition<T>(all: readonly T[], first: (one: T) => boolean): [T[], T[]] {
  return [all.filter(first), all.filter((one) => !first(one))];
}

function same(a: unknown, b: unknown): boolean {
  if (a instanceof Date && b instanceof Date) return a.getTime() === b.getTime();
  if (typeof a === 'object' && typeof b === 'object' && a !== null && b !== null) {
    const keys = Object.keys(b);
    return (
      keys.length === Object.keys(a).length &&
      keys.every((name) => same((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]))
    );
  }
  return Object.is(a, b);
}
