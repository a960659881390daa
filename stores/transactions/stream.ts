import type { Db, Document, Filter } from 'mongodb';
import type { RowChunk } from '../../domain/columns/row-chunk.js';
import type { ModelSpec } from '../../schemas/types.js';
import { openCollection, streamIndex, transactionsCollection } from '../collections.js';
import { ChunkReader } from './chunk-reader.js';
import { rawBatches } from './raw-batches.js';

/** of a document; the demo's have 230 */
const SMALL_BYTES = 512;

/** Which rows, in which order. */
export interface RowSelection {
  filter: Filter<Document>;
  sort: Record<string, 1>;
}

/**
 * The rows that a filter chooses in their order, a chunk at a time over the index, so that neither side ever holds or sorts them all. While one reply
 * is read here, MongoDB makes the next.
 * @param chunk is filled again and again; its fields are those that are read
 * @param each called with every full chunk, and with the last one if it holds any row
 * @param signal stops between replies
 */
export async function streamRows(
  db: Db,
  data: ModelSpec['data'],
  { filter, sort }: RowSelection,
  chunk: RowChunk,
  each: () => Promise<void> | void,
  signal?: AbortSignal,
): Promise<void> {
  const projection = { _id: 0, ...Object.fromEntries(chunk.fields.map(({ name }) => [name, 1])) };
  const whole = await areSmall(db, data);
  const find = { find: data.collection, filter, sort, hint: streamIndex(data), ...(whole ? {} : { projection }) };
  const reader = new ChunkReader(chunk.fields);
  const handOut = async (): Promise<void> => {
    await each();
    chunk.clear(chunk.firstPosition + chunk.rows);
  };
  chunk.clear(0);
  for await (const batch of rawBatches(db, find, signal)) await reader.read(batch, chunk, handOut);
  if (chunk.rows > 0) await handOut();
}

/** Whether documents hold little besides a row: then leaving fields out costs MongoDB more than sending them. */
async function areSmall(db: Db, data: ModelSpec['data']): Promise<boolean> {
  const pipeline = [{ $collStats: { storageStats: {} } }, { $project: { bytes: '$storageStats.avgObjSize' } }];
  const [stats] = await openCollection(db, transactionsCollection(data))
    .aggregate<{ bytes?: number }>(pipeline)
    .toArray();
  return (stats?.bytes ?? Infinity) <= SMALL_BYTES;
}
