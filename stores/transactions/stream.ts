import { BSON, type Db, type Document, type Filter } from 'mongodb';
import type { ModelSpec } from '../../schemas/types.js';
import { openCollection, streamIndex, transactionsCollection } from '../collections.js';

const FETCH = 2_000;
/** Documents are unpacked a few at a time, so that they die young: survivors are what makes collecting garbage dear. */
const BATCH = 250;

/** Which rows, in which order, and how many they are, for the progress. */
export interface RowSelection {
  filter: Filter<Document>;
  sort: Record<string, 1>;
  rows: number;
}

/**
 * The rows that a filter chooses in their order, a batch at a time over the index, so that neither side ever holds or sorts them all.
 * @param signal stops between batches
 */
export async function streamRows(
  db: Db,
  data: ModelSpec['data'],
  { filter, sort, rows }: RowSelection,
  fields: readonly string[],
  each: (batch: Document[], firstPosition: number) => Promise<void> | void,
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress: (fraction: number) => void },
): Promise<void> {
  const projection = Object.fromEntries(fields.map((name) => [name, 1]));
  const cursor = openCollection(db, transactionsCollection(data)).find(filter, {
    projection: { _id: 0, ...projection },
    sort,
    hint: streamIndex(data),
    batchSize: FETCH,
    // The driver's own unpacking takes twice as long as the library it uses.
    raw: true,
  });
  let position = 0;
  try {
    while (await cursor.hasNext()) {
      signal?.throwIfAborted();
      const batch = cursor
        .readBufferedDocuments(BATCH)
        .map((bytes) => BSON.deserialize(bytes as unknown as Uint8Array, { validation: { utf8: false } }));
      await each(batch, position);
      position += batch.length;
      onProgress(rows === 0 ? 1 : Math.min(1, position / rows));
    }
  } finally {
    await cursor.close();
  }
}
