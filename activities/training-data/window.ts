import type { Db, Document, Filter } from 'mongodb';
import { SluiceError } from '../../platform/errors.js';
import { openCollection, streamIndex, transactionsCollection } from '../../stores/collections.js';
import type { ModelSpec } from '../../schemas/types.js';

const DAY_MS = 86_400_000;

/** Which rows a snapshot takes. Everything hangs on `asOf`; no clock is read. */
export interface SnapshotWindow {
  asOf: string;
  /** bounds on the event time, both inclusive, ISO */
  from: string;
  to: string;
  filter: Filter<Document>;
  sort: Record<string, 1>;
}

/** The window's rows are those with `time ≤ asOf − maturity` and `label time ≤ asOf`: younger ones have a label only if they turned out bad. */
export function snapshotWindow(data: ModelSpec['data'], asOf: string): SnapshotWindow {
  const asOfMs = Date.parse(asOf);
  if (Number.isNaN(asOfMs))
    throw new SluiceError('InvalidInput', `asOf must be an ISO time, not ${JSON.stringify(asOf)}`);
  const { fields } = data;
  const from = new Date(asOfMs - data.window_days * DAY_MS);
  const to = new Date(asOfMs - data.label_maturity_days * DAY_MS);
  const filter = { [fields.time]: { $gte: from, $lte: to }, [fields.label_time]: { $lte: new Date(asOfMs) } };
  const sort = { [fields.time]: 1, [fields.id]: 1 } as const;
  return { asOf: new Date(asOfMs).toISOString(), from: from.toISOString(), to: to.toISOString(), filter, sort };
}

/** How the sorted rows are divided, by position: train below, validation from, test from. */
export interface Splits {
  validationFrom: number;
  testFrom: number;
}

/** Splits are by time: the newest rows are the test part, those before them the validation part. */
export function splitsOf(data: ModelSpec['data'], rows: number): Splits {
  const testFrom = rows - Math.floor(rows * data.test_fraction);
  return { testFrom, validationFrom: testFrom - Math.floor(rows * data.validation_fraction) };
}

/** Window of the lookups: from inclusive, to exclusive, epoch ms. */
export interface LookupsWindow {
  fromMs: number;
  toMs: number;
}

/**
 * What lookups are made from: the rows before the held-out part, so that none of them is looked up in what it was counted in.
 * @param toMs event time of the first test row
 */
export function lookupsWindow(
  data: ModelSpec['data'],
  { from }: Pick<SnapshotWindow, 'from'>,
  toMs: number,
): LookupsWindow {
  return { fromMs: Math.max(toMs - data.lookup_window_days * DAY_MS, Date.parse(from)), toMs };
}

/** How many rows there are up to `asOf`, mature or not. */
export function countWindow(
  db: Db,
  data: ModelSpec['data'],
  { from, asOf }: Pick<SnapshotWindow, 'from' | 'asOf'>,
): Promise<number> {
  return count(db, data, { [data.fields.time]: { $gte: new Date(from), $lte: new Date(asOf) } });
}

/** How many rows a snapshot takes. */
export function countMature(db: Db, data: ModelSpec['data'], { filter }: SnapshotWindow): Promise<number> {
  return count(db, data, filter);
}

function count(db: Db, data: ModelSpec['data'], filter: Filter<Document>): Promise<number> {
  return openCollection(db, transactionsCollection(data)).countDocuments(filter, { hint: streamIndex(data) });
}
