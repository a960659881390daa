import type { Collection, Document } from 'mongodb';
import { streamIndex } from '../indexes.js';
import type { ModelSpec } from '../../../schemas/types.js';
import type { SnapshotWindow } from './window.js';

const BATCH = 5_000;

/**
 * The window's rows in their order, a batch at a time over the index, so that neither side ever holds or sorts them all.
 * @param signal stops between batches
 */
export async function streamRows(
  collection: Collection,
  data: ModelSpec['data'],
  { filter, sort, rows }: SnapshotWindow,
  requestFields: readonly string[],
  each: (batch: Document[], firstPosition: number) => Promise<void> | void,
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress: (fraction: number) => void },
): Promise<void> {
  const { label, label_time } = data.fields;
  const projection = Object.fromEntries([...requestFields, label, label_time].map((name) => [name, 1]));
  const cursor = collection.find(filter, {
    projection: { _id: 0, ...projection },
    sort,
    hint: streamIndex(data),
    batchSize: BATCH,
  });
  let position = 0;
  try {
    while (await cursor.hasNext()) {
      signal?.throwIfAborted();
      const batch = cursor.readBufferedDocuments();
      await each(batch, position);
      position += batch.length;
      onProgress(rows === 0 ? 1 : Math.min(1, position / rows));
    }
  } finally {
    await cursor.close();
  }
}
