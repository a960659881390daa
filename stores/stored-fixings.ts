import { Double, MongoBulkWriteError, type Collection } from 'mongodb';
import type { Fixing } from '../domain/lookups/fixings.js';

const DUPLICATE_KEY = 11000;

/** The stored fixings of these days, oldest first. */
export function storedFixings(collection: Collection<Fixing>, first: string, last: string): Promise<Fixing[]> {
  return collection.find({ _id: { $gte: first, $lte: last } }, { sort: { _id: 1 } }).toArray();
}

/** Stores fixings write-once: a day that somebody else stored meanwhile stays as it is. */
export async function addFixings(collection: Collection<Fixing>, fixings: readonly Fixing[]): Promise<void> {
  if (fixings.length === 0) return;
  try {
    await collection.insertMany(fixings.map(withDoubles), { ordered: false });
  } catch (error) {
    const writeErrors = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
    if (writeErrors.length === 0 || writeErrors.some(({ code }) => code !== DUPLICATE_KEY)) throw error;
  }
}

/** As the importer stores them: a rate of 136 must not become an integer beside one of 136.5. */
function withDoubles({ _id, base, rates }: Fixing): Fixing {
  const doubles = Object.entries(rates).map(([currency, rate]) => [currency, new Double(rate)]);
  return { _id, base, rates: Object.fromEntries(doubles) as Record<string, number> };
}
