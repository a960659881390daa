import type { Db } from 'mongodb';
import type { Derived, Lookups } from '../../../domain/features/compile.js';
import type { LoadedModel } from '../../../platform/models.js';
import { ensureWindowIndex } from '../../mongo/indexes.js';
import { derivedFor } from './derived-for.js';
import { rawBatches } from './raw-batches.js';
import type { Refusals } from './refusals.js';
import { rawInputs, RowDeriver } from './row-deriver.js';

/** parts that a window is read in: enough for the cursors to end together and for progress to show, few enough to cost nothing */
const PARTS = 16;
/** cursors at once: the server works on each with a core of its own, and while one reply is read here the others are being made */
const CURSORS = 4;

export interface WindowScan {
  /** every row of the window, the refused ones included */
  rows: number;
  refused: Refusals;
}

/**
 * Derived values of every row of a window, whatever its label, part by part on a few cursors: in no particular order, at a memory that does
 * not grow with the rows.
 * @param window epoch ms; from inclusive, to exclusive
 * @param names of the values that are wanted
 * @param add called with each row that can be used; the next row changes the values
 */
export async function scanWindow(
  db: Db,
  { spec, registry }: Pick<LoadedModel, 'spec' | 'registry'>,
  lookups: Lookups,
  window: { fromMs: number; toMs: number },
  names: readonly string[],
  add: (derived: Readonly<Derived>) => void,
  { signal, onProgress }: { signal?: AbortSignal | undefined; onProgress: (progress: ScanProgress) => void },
): Promise<WindowScan> {
  const { data } = spec;
  const fieldsOf = (derived: typeof registry.derived): string[] => rawInputs(derived).map(({ name }) => name);
  // One index for all jobs; each asks for the fields that it needs.
  const hint = await ensureWindowIndex(db, data, fieldsOf(registry.derived));
  const derived = derivedFor(registry.derived, names, data.checks);
  const projection = { _id: 0, ...Object.fromEntries(fieldsOf(derived).map((name) => [name, 1])) };
  const deriver = new RowDeriver({ derived }, lookups, data.checks);
  const parts = partsOf(window);
  let [rows, done] = [0, 0];
  const work = async (): Promise<void> => {
    for (let part = parts.pop(); part !== undefined; part = parts.pop()) {
      const filter = { [data.fields.time]: { $gte: new Date(part.fromMs), $lt: new Date(part.toMs) } };
      for await (const batch of rawBatches(db, data.collection, { filter, projection, hint }, signal))
        rows += deriver.read(batch, add);
      onProgress({ rows, fraction: ++done / PARTS });
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
  // Both are over before anything is said: no read goes on behind a failure.
  const ended = await Promise.allSettled(working);
  for (const end of ended) if (end.status === 'rejected') throw end.reason;
  return { rows, refused: deriver.refused };
}

export interface ScanProgress {
  rows: number;
  /** of the window's time */
  fraction: number;
}

/** The window in equal parts, to the millisecond. */
function partsOf({ fromMs, toMs }: { fromMs: number; toMs: number }): { fromMs: number; toMs: number }[] {
  const cut = (index: number): number => fromMs + Math.floor(((toMs - fromMs) * index) / PARTS);
  return Array.from({ length: PARTS }, (_, index) => ({ fromMs: cut(index), toMs: cut(index + 1) }));
}
