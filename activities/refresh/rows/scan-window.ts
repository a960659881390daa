import { MongoServerError, type Db, type Document } from 'mongodb';
import type { Derived, Lookups } from '../../../domain/features/compile.js';
import type { LoadedModel } from '../../../platform/models.js';
import type { FeatureRegistry } from '../../../schemas/types.js';
import { openCollection, transactionsCollection } from '../../../stores/collections.js';
import { ensureWindowIndex } from '../../../stores/transactions/indexes.js';
import { Groups, type GroupReader } from './group-reader.js';
import { rawBatches } from '../../../stores/transactions/raw-batches.js';
import type { Refusals } from './refusals.js';
import { rawInputs, RowDeriver } from './row-deriver.js';
import { equalParts, partsByFixing, type Part } from './window-parts.js';

/** cursors at once: the server works on each with a core of its own, and while one reply is read here the others are being made */
const CURSORS = 3;

export interface WindowScan {
  /** every row of the window, the refused ones included */
  rows: number;
  refused: Refusals;
}

/**
 * Derived values of every row of a window, whatever its label, part by part on a few cursors: in no particular order, at a memory that does not grow
 * with the rows. The server groups a part's rows where that is enough to derive the values; where it is not, or where anything odd is among them, they
 * are read one by one.
 * @param derived the values that are wanted, see `derivedFor`
 * @param add called with the values of each row that can be used, or of several rows that have the same; the next call changes them
 */
export async function scanWindow(
  db: Db,
  { spec, registry }: Pick<LoadedModel, 'spec' | 'registry'>,
  derived: FeatureRegistry['derived'],
  lookups: Lookups,
  window: Part,
  add: (derived: Readonly<Derived>, rows?: number) => void,
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress: (progress: ScanProgress) => void },
): Promise<WindowScan> {
  const { data } = spec;
  const fieldsOf = (some: FeatureRegistry['derived']): string[] => rawInputs(some).map(({ name }) => name);
  // One index for all jobs; each asks for the fields that it needs.
  const hint = await ensureWindowIndex(db, data, fieldsOf(registry.derived));
  const atMost = await openCollection(db, transactionsCollection(data)).estimatedDocumentCount();
  const projection = { _id: 0, ...Object.fromEntries(fieldsOf(derived).map((name) => [name, 1])) };
  const deriver = new RowDeriver({ derived }, lookups, data.checks);
  const reader = deriver.grouping(data.fields.time);
  const parts = reader?.byDay === true ? partsByFixing(window, atMost, derived, lookups) : equalParts(window, atMost);
  const count = parts.length;
  let [rows, done] = [0, 0];

  const grouped = async ({ fromMs }: Part, filter: Document, groups: Groups): Promise<number | null> => {
    if (reader === null) return null;
    const pipeline = [{ $match: filter }, reader.stage];
    const batches = rawBatches(db, { aggregate: data.collection, pipeline, hint, allowDiskUse: true }, signal);
    return (await readGroups(batches, reader, groups)) ? deriver.addGroups(reader, groups, fromMs, add) : null;
  };
  const oneByOne = async (filter: Document): Promise<number> => {
    let read = 0;
    for await (const batch of rawBatches(db, { find: data.collection, filter, projection, hint }, signal))
      read += deriver.read(batch, add);
    return read;
  };
  const work = async (): Promise<void> => {
    const groups = new Groups();
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const filter = { [data.fields.time]: { $gte: new Date(part.fromMs), $lt: new Date(part.toMs) } };
      // Not `rows += await`: that would take up `rows` before the others have added to it.
      const read = (await grouped(part, filter, groups)) ?? (await oneByOne(filter));
      rows += read;
      onProgress({ rows, fraction: ++done / count });
    }
  };
  const working = Array.from({ length: CURSORS }, async () => {
    try {
      await work();
    } catch (error) {
      parts.length = 0;
      throw error;
    }
  });
  // All are over before anything is said: no read goes on behind a failure.
  const ended = await Promise.allSettled(working);
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return { rows, refused: deriver.refused };
}

export interface ScanProgress {
  rows: number;
  /** of the window's time */
  fraction: number;
}

/**
 * @param groups where all groups of a part are put, instead of what was there: one after another, parts use the same memory
 * @returns false where they do not tell all: an odd value, or more rows than the server can group in memory or in one document
 */
async function readGroups(batches: AsyncIterable<Buffer>, reader: GroupReader, groups: Groups): Promise<boolean> {
  groups.clear();
  try {
    for await (const batch of batches) if (!reader.read(batch, groups)) return false;
  } catch (error) {
    // What hinders reading as well is met again there.
    if (error instanceof MongoServerError) return false;
    throw error;
  }
  return true;
}
