import type { Db } from 'mongodb';
import { COLLECTIONS, openCollection } from './collections.js';

/** A file of transactions that was imported to its end. */
export interface ImportDocument {
  /** names the file by its digest, and what was done with it */
  _id: string;
  summary: ImportCounts;
  finished_at: Date;
}

interface ImportCounts {
  inserted: number;
  updated: number;
  unchanged: number;
}

/** The summary of an import that came to its end; null when there was none. */
export async function finishedImport<T extends ImportCounts>(db: Db, id: string): Promise<T | null> {
  const found = await openCollection(db, COLLECTIONS.imports).findOne({ _id: id });
  return found === null ? null : (found.summary as T);
}

export async function rememberImport(db: Db, id: string, summary: ImportCounts): Promise<void> {
  await openCollection(db, COLLECTIONS.imports).updateOne(
    { _id: id },
    { $set: { summary, finished_at: new Date() } },
    { upsert: true },
  );
}
