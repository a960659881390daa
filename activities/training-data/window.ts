import type { Db, Document, Filter } from 'mongodb';
import { SluiceError } from '../../platform/errors.js';
import { openCollection, transactionsCollection } from '../../stores/collections.js';
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
  /** rows of the window whose label is not mature, or booked after `to` */
  immature: number;
  /** positions in the sorted rows: train below, validation from, test from */
  validationFrom: number;
  testFrom: number;
  /** window of the lookups: from inclusive, to exclusive, epoch ms; `to` is the event time of the first test row */
  lookups: { fromMs: number; toMs: number; filter: Filter<Document>; rows: number };
}

/**
 * The window's rows are those with `time ≤ asOf − maturity` and `label time ≤ asOf`: younger ones have a label only if they turned out bad.
 * Splits are by time: the newest rows are the test part, those before them the validation part.
 * @throws SluiceError InvalidInput when there is no row to take
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

  const [rows, all] = await Promise.all([
    collection.countDocuments(filter),
    collection.countDocuments({ [fields.time]: { $gte: from, $lte: new Date(asOfMs) } }),
  ]);
  const testRows = Math.floor(rows * data.test_fraction);
  const testFrom = rows - testRows;
  const validationFrom = testFrom - Math.floor(rows * data.validation_fraction);
  const first = await collection
    .find(filter, {
      projection: { _id: 0, [fields.time]: 1 },
      sort,
      skip: Math.min(testFrom, Math.max(rows - 1, 0)),
      limit: 1,
    })
    .next();
  if (first === null) {
    throw new SluiceError(
      'InvalidInput',
      `${data.collection} has no row between ${from.toISOString()} and ${to.toISOString()} whose label was known at ${asOf} (${all} rows in the window altogether). Import transactions, or choose an asOf that they reach.`,
    );
  }
  const toMs = (first[fields.time] as Date).getTime();
  const fromMs = Math.max(toMs - data.lookup_window_days * DAY_MS, from.getTime());
  const lookupFilter = { ...filter, [fields.time]: { $gte: new Date(fromMs), $lt: new Date(toMs) } };
  return {
    asOf: new Date(asOfMs).toISOString(),
    from: from.toISOString(),
    to: to.toISOString(),
    filter,
    sort,
    rows,
    immature: all - rows,
    validationFrom,
    testFrom,
    lookups: { fromMs, toMs, filter: lookupFilter, rows: await collection.countDocuments(lookupFilter) },
  };
}
