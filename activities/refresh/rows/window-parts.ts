import type { Lookups } from '../../../domain/features/compile.js';
import { compileRates } from '../../../domain/lookups/rates.js';
import type { FeatureRegistry, FxRates } from '../../../schemas/types.js';

const DAY_MS = 86_400_000;
/** enough for the cursors to end together and for progress to show, few enough to cost nothing */
const FEWEST_PARTS = 16;
/** of an equal part, about: its groups are held by the server and in memory here */
const MOST_COUNTED_ROWS = 100_000;
/** of a part by fixing, about: its numbers lie in memory, once as they were sent and once as they are read */
const MOST_ROWS = 30_000;

/** Epoch ms; from inclusive, to exclusive. */
export interface Part {
  fromMs: number;
  toMs: number;
}

/**
 * A window in equal parts, to the millisecond.
 * @param rows of the window, about
 */
export function equalParts({ fromMs, toMs }: Part, rows: number): Part[] {
  const count = Math.max(FEWEST_PARTS, Math.ceil(rows / MOST_COUNTED_ROWS));
  const cut = (index: number): number => fromMs + Math.floor(((toMs - fromMs) * index) / count);
  return Array.from({ length: count }, (_, index) => ({ fromMs: cut(index), toMs: cut(index + 1) }));
}

/**
 * A window in parts whose bookings are converted at the same fixing, of about as many rows at most as may lie in memory: days (UTC) where a day has few
 * rows, several together where none was published, since fewer parts mean fewer groups to send; equal shares of a day where it has many.
 * @param rows of the window, about
 */
export function partsByFixing(
  { fromMs, toMs }: Part,
  rows: number,
  derived: FeatureRegistry['derived'],
  lookups: Lookups,
): Part[] {
  const longestMs = (MOST_ROWS / rows) * (toMs - fromMs);
  const shareMs = DAY_MS / Math.max(1, Math.ceil(DAY_MS / longestMs));
  const rates = derived.flatMap(({ op }) =>
    op.kind === 'convert' ? [compileRates(lookups[op.lookup] as FxRates)] : [],
  );
  const alike = (oneMs: number, otherMs: number): boolean =>
    rates.every(({ fixingBefore }) => fixingBefore(oneMs) === fixingBefore(otherMs));
  const parts: Part[] = [];
  for (let start = fromMs; start < toMs;) {
    const end = Math.min(endOfShare(start, shareMs), toMs);
    const last = parts[parts.length - 1];
    if (last !== undefined && end - last.fromMs <= longestMs && alike(last.fromMs, start)) last.toMs = end;
    else parts.push({ fromMs: start, toMs: end });
    start = end;
  }
  return parts;
}

/** Shares are counted from midnight, so that none reaches into the next day. */
function endOfShare(ms: number, shareMs: number): number {
  const midnight = Math.floor(ms / DAY_MS) * DAY_MS;
  return midnight + Math.ceil((Math.floor((ms - midnight) / shareMs) + 1) * shareMs);
}
