import type { AnyBulkWriteOperation, Collection, Document } from 'mongodb';
import { isDuplicateKey } from '../platform/mongo.js';
import type { ImportSummary } from './summary.js';

/**
 * Brings a batch of documents in, by the field that names them, writing only what differs: a second run of the same batch changes nothing.
 * @param documents with different keys; `_id` may be the key
 * @param stored gives a document the types it is stored with
 */
export async function upsertChanged(
  collection: Collection,
  key: string,
  documents: readonly Document[],
  summary: Pick<ImportSummary, 'inserted' | 'updated' | 'unchanged'>,
  stored: (document: Document) => Document,
): Promise<void> {
  if (documents.length === 0) return;
  const keys = documents.map((document) => document[key] as unknown);
  const found = await collection.find({ [key]: { $in: keys } }).toArray();
  const byKey = new Map(found.map((document) => [document[key] as unknown, document]));
  const operations: AnyBulkWriteOperation[] = [];
  let inserted = 0;
  let updated = 0;
  for (const document of documents) {
    const before = byKey.get(document[key]);
    if (before === undefined) {
      inserted++;
      operations.push({ insertOne: { document: stored(document) } });
    } else if (Object.keys(document).some((name) => !same(before[name], document[name]))) {
      updated++;
      const { [key]: value, ...rest } = stored(document);
      operations.push({ updateOne: { filter: { [key]: value as never }, update: { $set: rest } } });
    }
  }
  try {
    if (operations.length > 0) await collection.bulkWrite(operations, { ordered: false });
  } catch (error) {
    // A rival import inserted some of them since we looked; now that they are there, they are compared.
    if (isDuplicateKey(error)) return upsertChanged(collection, key, documents, summary, stored);
    throw error;
  }
  summary.inserted += inserted;
  summary.updated += updated;
  summary.unchanged += documents.length - inserted - updated;
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
