import type { AggregationCursor, Db, Document, Filter } from 'mongodb';
import type { ModelSpec } from '../../schemas/types.js';
import { openCollection, transactionsCollection } from '../collections.js';

type Data = Pick<ModelSpec['data'], 'collection' | 'fields'>;

/** When the first of some transactions was booked; null when there is none. */
export async function firstBooking(db: Db, data: Data, filter: Filter<Document>): Promise<Date | null> {
  const { time, id } = data.fields;
  const first = await openCollection(db, transactionsCollection(data)).findOne(filter, {
    sort: { [time]: 1, [id]: 1 },
    projection: { _id: 0, [time]: 1 },
  });
  return first === null ? null : (first[time] as Date);
}

/**
 * How many transactions have each value of a field, most frequent first, counted where the data is.
 * @param window booked at or after `from` and before `to`
 * @param limit at most this many values
 */
export function countValues(
  db: Db,
  data: Data,
  field: string,
  { from, to }: { from: Date; to: Date },
  limit?: number,
): AggregationCursor<{ _id: unknown; rows: number }> {
  return openCollection(db, transactionsCollection(data)).aggregate<{ _id: unknown; rows: number }>(
    [
      { $match: { [data.fields.time]: { $gte: from, $lt: to } } },
      { $group: { _id: `$${field}`, rows: { $sum: 1 } } },
      { $sort: { rows: -1, _id: 1 } },
      ...(limit === undefined ? [] : [{ $limit: limit }]),
    ],
    { allowDiskUse: true },
  );
}
