import { createReadStream } from 'node:fs';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { Double, type Collection, type Db, type Document } from 'mongodb';
import { openCollection, transactionsCollection } from '../../stores/collections.js';
import { ensureTransactionIndexes } from '../../stores/transactions/indexes.js';
import type { ModelSpec } from '../../schemas/types.js';

const BATCH = 5_000;
const DAY_MS = 86_400_000;
/** no row lies so near to an end of the window, so that rounds may move it by minutes and read the same rows */
const MARGIN_MS = 3_600_000;

/**
 * Fills the collection with rows of one window, made from the demo's file: each of its rows in that window as often as it takes, a second apart, under
 * ids of their own, with amounts that differ a little. In the order of time, as imports leave them.
 */
export async function makeRows(
  db: Db,
  data: ModelSpec['data'],
  file: string,
  window: { fromMs: number; toMs: number },
  count: number,
): Promise<void> {
  const [from, to] = [window.fromMs + MARGIN_MS, window.toMs - MARGIN_MS];
  const source: Record<string, string>[] = [];
  for await (const row of createReadStream(file)
    .pipe(createGunzip())
    .pipe(parse({ columns: true }))) {
    const at = Date.parse((row as { booked_at: string }).booked_at);
    if (at >= from && at < to - DAY_MS) source.push(row as Record<string, string>);
  }
  await ensureTransactionIndexes(db, data);
  const collection = openCollection(db, transactionsCollection(data));
  const copies = Math.ceil(count / source.length);
  let made = 0;
  let batch: Document[] = [];
  let writing: Promise<unknown> = Promise.resolve();
  for (const row of source) {
    for (let copy = 0; copy < copies && made < count; copy++, made++) {
      batch.push(copyOf(row, copy));
      if (batch.length < BATCH) continue;
      await writing;
      writing = insert(collection, batch);
      batch = [];
    }
  }
  await writing;
  if (batch.length > 0) await insert(collection, batch);
}

function copyOf(row: Record<string, string>, copy: number): Document {
  const bookedAt = Date.parse(row['booked_at'] ?? '') + copy * 1_000;
  return {
    transaction_id: `${row['transaction_id']}-${copy}`,
    customer_id: row['customer_id'],
    booked_at: new Date(bookedAt),
    amount: new Double(Math.round(Number(row['amount']) * (100 + (copy % 7))) / 100),
    currency: row['currency'],
    operation_type: row['operation_type'],
    merchant_name: row['merchant_name'],
    is_fraud: Number(row['is_fraud']),
    labeled_at: new Date(Date.parse(row['labeled_at'] ?? '') + copy * 1_000),
  };
}

async function insert(collection: Collection, batch: Document[]): Promise<void> {
  await collection.insertMany(batch, { ordered: false });
}
