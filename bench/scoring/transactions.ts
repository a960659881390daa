import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';
import { projectPath } from '../../platform/project.js';

export interface Transaction {
  transaction_id: string;
  customer_id: string;
  booked_at: string;
  amount: number;
  currency: string;
  operation_type: string;
  merchant_name: string;
}

export interface Golden {
  transaction: Transaction;
  score: number;
  calibrated_probability: number;
  anomaly_score: number;
}

/** The transactions that training computed the answers of. */
export async function goldenOf(bundle: string): Promise<Golden[]> {
  const { raw } = JSON.parse(await readFile(join(bundle, 'golden_vectors.json'), 'utf8')) as { raw: Golden[] };
  return raw;
}

/** So many of the demo's transactions, from all of its days, in an order that repeats nothing: what is sent as load. */
export async function someTransactions(count: number): Promise<Transaction[]> {
  const all: Transaction[] = [];
  for await (const row of createReadStream(projectPath('data', 'bank_transactions_demo.csv.gz'))
    .pipe(createGunzip())
    .pipe(parse({ columns: true }))) {
    const { transaction_id, customer_id, booked_at, amount, currency, operation_type, merchant_name } = row as Record<
      keyof Transaction,
      string
    >;
    all.push({
      ...{ transaction_id, customer_id, booked_at, amount: Number(amount), currency, operation_type, merchant_name },
    });
  }
  const step = Math.floor(all.length / count);
  const days = Array.from({ length: count }, (_, at) => all[at * step] as Transaction);
  // next to each other in the file is next to each other in time: neighbours are set apart
  return days.map((_, at) => days[(at * 1009) % count] as Transaction);
}

/** Lists of a thousand, each with another start. */
export function listsOf(transactions: readonly Transaction[], lists: number, length: number): Transaction[][] {
  return Array.from({ length: lists }, (_, list) =>
    Array.from({ length }, (_, at) => transactions[(list * 131 + at) % transactions.length] as Transaction),
  );
}

/** One after the other, in lists of a length. */
export function chunksOf(transactions: readonly Transaction[], length: number): Transaction[][] {
  return Array.from({ length: Math.ceil(transactions.length / length) }, (_, list) =>
    transactions.slice(list * length, (list + 1) * length),
  );
}
