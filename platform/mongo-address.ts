import type { Db } from 'mongodb';
import { mongoFailure } from './mongo.js';

/** Host and port that a connection speaks to, for messages. */
export function addressOf(db: Db): string {
  return db.client.options.hosts.map(String).join(',');
}

/** Runs a call and turns MongoDB's errors into ours, with the address that was tried. */
export async function withMongo<T>(db: Db, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw mongoFailure(error, addressOf(db));
  }
}
