import type { Db, Document, Filter } from 'mongodb';
import { SluiceError } from '../../platform/errors.js';
import { openCollection, streamIndex, transactionsCollection } from '../../stores/collections.js';
import type { ModelSpec } from '../../schemas/types.js';

const DAY_MS = 86_400_000;

/** Which rows a snapshot takes, and how they are divided. Everything hangs on `asOf`; no clock is read. */
export interface SnapshotWindow {
  asOf: string;
  /** bounds on the event time, both inclusive, ISO */
  from: string;
  to: string;
  filter: Filter<Document>;
  sort: Record<string, 1>;
  rows: number;
  /** positions in the sorted rows: train below, validation from, test from */
  validationFrom: number;
  testFrom: number;
}

/**
 * The window's rows are those with `time ≤ asOf − maturity` and `label time ≤ asOf`: younger ones have a label only if they turned out bad.
 * Splits are by time: the newest rows are the test part, those before them the validation part.
 * @throws SluiceError NoData when there is no row to take
 */
export async function snapshotWindow(db: Db, data: ModelSpec['data'], asOf: string): Promise<SnapshotWindow> {
  const asOfMs = Date.parse(asOf);
  if (Number.isNaN(asOfMs))
    throw new SluiceError('InvalidInput', `asOf must be an ISO time, not ${JSON.stringify(asOf)}`);
  const { fields } = data;
  const collection = openCollection(db, transactionsCollection(data));
  const from = new Date(asOfMs - data.window_days * DAY_MS);
  const to = new Date(asOfMs - data.label_maturity_days * DAY_MS);
  const filter = { [fields.time]: { $gte: from, $lte: to }, [fields.label_time]: { $lte: new Date(asOfMs) } };
  const sort = { [fields.time]: 1, [fields.id]: 1 } as const;

  const rows = await collection.countDocuments(filter);
  const testRows = Math.floor(rows * data.test_fraction);
  const testFrom = rows - testRows;
  const validationFrom = testFrom - Math.floor(rows * data.validation_fraction);
  if (rows === 0) {
    const all = await countWindow(db, data, { from: from.toISOString(), asOf });
    throw new SluiceError(
      'NoData',
      `${data.collection} has no row between ${from.toISOString()} and ${to.toISOString()} whose label was known at ${asOf} (${all} rows in the window altogether). Import transactions, or choose an asOf that they reach.`,
    );
  }
  return {
    asOf: new Date(asOfMs).toISOString(),
    from: from.toISOString(),
    to: to.toISOString(),
    filter,
    sort,
    rows,
    validationFrom,
    testFrom,
  };
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
  const filter = { [data.fields.time]: { $gte: new Date(from), $lte: new Date(asOf) } };
  return openCollection(db, transactionsCollection(data)).countDocuments(filter, { hint: streamIndex(data) });
}
