import type { Lookups } from '../../../domain/features/compile.js';
import { compileRates } from '../../../domain/lookups/rates.js';
import type { FeatureRegistry, FxRates } from '../../../schemas/types.js';

const DAY_MS = 86_400_000;
/** enough for the cursors to end together and for progress to show, few enough to cost nothing */
const EQUAL_PARTS = 16;
/** of a part of several days: a part's numbers lie in memory, once as they were sent and once as they are read */
const MOST_ROWS = 30_000;

/** Epoch ms; from inclusive, to exclusive. */
export interface Part {
  fromMs: number;
  toMs: number;
}

/** A window in equal parts, to the millisecond. */
export function equalParts({ fromMs, toMs }: Part): Part[] {
  const cut = (index: number): number => fromMs + Math.floor(((toMs - fromMs) * index) / EQUAL_PARTS);
  return Array.from({ length: EQUAL_PARTS }, (_, index) => ({ fromMs: cut(index), toMs: cut(index + 1) }));
}

/**
 * A window in parts of whole days (UTC) whose bookings are converted at the same fixing: mostly one, more where none was published. Fewer parts mean
 * fewer groups to send.
 * @param rows of the window, about; where there are many a day, each day is a part
 */
export function partsByFixing(
  { fromMs, toMs }: Part,
  rows: number,
  derived: FeatureRegistry['derived'],
  lookups: Lookups,
): Part[] {
  const longestMs = Math.max(DAY_MS, (MOST_ROWS / rows) * (toMs - fromMs));
  const rates = derived.flatMap(({ op }) =>
    op.kind === 'convert' ? [compileRates(lookups[op.lookup] as FxRates)] : [],
  );
  const alike = (oneMs: number, otherMs: number): boolean =>
    rates.every(({ fixingBefore }) => fixingBefore(oneMs) === fixingBefore(otherMs));
  const parts: Part[] = [];
  for (let start = fromMs; start < toMs;) {
    const end = Math.min((Math.floor(start / DAY_MS) + 1) * DAY_MS, toMs);
    const last = parts[parts.length - 1];
    if (last !== undefined && end - last.fromMs <= longestMs && alike(last.fromMs, start)) last.toMs = end;
    else parts.push({ fromMs: start, toMs: end });
    start = end;
  }
  return parts;
}
