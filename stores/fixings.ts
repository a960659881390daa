import { Double, MongoBulkWriteError, type Db } from 'mongodb';
import type { Fixing } from '../domain/lookups/fixings.js';
import { isDuplicateKey } from '../platform/mongo.js';
import type { ModelSpec } from '../schemas/types.js';
import { fixingsCollection, openCollection } from './collections.js';

type Data = Pick<ModelSpec['data'], 'fixings_collection'>;

/** The stored fixings of these days, both inclusive, oldest first. */
export function storedFixings(db: Db, data: Data, first: string, last: string): Promise<Fixing[]> {
  return openCollection(db, fixingsCollection(data))
    .find({ _id: { $gte: first, $lte: last } }, { sort: { _id: 1 } })
    .toArray();
}

/** Stores fixings write-once: a day that somebody else stored meanwhile stays as it is. */
export async function addFixings(db: Db, data: Data, fixings: readonly Fixing[]): Promise<void> {
  if (fixings.length === 0) return;
  try {
    await openCollection(db, fixingsCollection(data)).insertMany(fixings.map(withDoubles), { ordered: false });
  } catch (error) {
    const writeErrors = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
    if (writeErrors.length === 0 || !writeErrors.every(isDuplicateKey)) throw error;
  }
}

/** Every currency that some stored fixing quotes, the base currencies included. */
export async function quotedCurrencies(db: Db, data: Data): Promise<ReadonlySet<string>> {
  const quoted = new Set<string>();
  for await (const { base, rates } of openCollection(db, fixingsCollection(data)).find()) {
    quoted.add(base);
    for (const currency of Object.keys(rates)) quoted.add(currency);
  }
  return quoted;
}

/** The newest day with rates; null where there is none. */
export async function newestFixingDay(db: Db, data: Data): Promise<string | null> {
  const newest = await openCollection(db, fixingsCollection(data)).findOne({}, { sort: { _id: -1 } });
  return newest?._id ?? null;
}

/** As the importer stores them: a rate of 136 must not become an integer beside one of 136.5. */
function withDoubles({ _id, base, rates }: Fixing): Fixing {
  const doubles = Object.entries(rates).map(([currency, rate]) => [currency, new Double(rate)]);
  return { _id, base, rates: Object.fromEntries(doubles) as Record<string, number> };
}
