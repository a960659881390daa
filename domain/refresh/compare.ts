import type { ModelSpec } from '../../schemas/types.js';
import type { CheckResult } from '../release/types.js';

type Tolerance = NonNullable<ModelSpec['refresh']['tolerances'][string]>;

/** How far a refreshed lookup lies from the live one. */
export interface Difference {
  /** number of keys */
  size: { live: number; own: number };
  /** keys that only one side has, and keys of either side */
  changed: { keys: number; of: number };
  /** the largest relative move among the values that are known well enough to be compared; null where none is */
  move: { largest: number; of: string } | null;
}

const shown = (value: number): string =>
  Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));

/**
 * A refreshed lookup's distance from the live one against what the spec tolerates, a row for each limit that it declares. Where there
 * was nothing to observe (an empty live lookup, no value known well enough) a limit is not passed: no data is never a pass.
 */
export function checkDifference({ size, changed, move }: Difference, tolerance: Tolerance): CheckResult[] {
  const relative = size.live === 0 ? null : Math.abs(size.own - size.live) / size.live;
  return [
    ...limited('size_change', relative, tolerance.max_size_change, `${size.live} keys live, ${size.own} now`),
    ...limited(
      'changed_keys',
      changed.of === 0 ? null : changed.keys / changed.of,
      tolerance.max_changed_keys,
      `${changed.keys} of ${changed.of} keys came or went`,
    ),
    ...limited('largest_move', move?.largest ?? null, tolerance.max_move, move === null ? '' : move.of),
  ];
}

/**
 * Whether the rows of the window that could not be used are few enough.
 * @param max refresh.max_refused_fraction of the spec
 */
export function checkRefused({ refused, rows }: { refused: number; rows: number }, max: number): CheckResult {
  const fraction = rows === 0 ? null : refused / rows;
  const [check] = limited('refused_rows', fraction, max, `${refused} of ${rows} rows could not be used`);
  return check as CheckResult;
}

function limited(name: string, observed: number | null, max: number | undefined, what: string): CheckResult[] {
  if (max === undefined) return [];
  const required = `≤ ${shown(max)}`;
  if (observed === null || Number.isNaN(observed))
    return [{ name, passed: false, observed: null, required, message: `${name} could not be observed` }];
  const passed = observed <= max;
  // What is beyond every measure (a value that was 0) has no number in JSON.
  const finite = Number.isFinite(observed) ? observed : Number.MAX_VALUE;
  const figure = Number.isFinite(observed) ? shown(observed) : 'beyond measure';
  return [
    { name, passed, observed: finite, required, message: `${name} is ${figure}${what === '' ? '' : ` (${what})`}` },
  ];
}

/** Keys that only one of two has, and keys of either. */
export function changedKeys(own: ReadonlySet<string>, live: ReadonlySet<string>): Difference['changed'] {
  let both = 0;
  for (const key of own) if (live.has(key)) both++;
  const of = own.size + live.size - both;
  return { keys: of - both, of };
}

/** How far two positive figures lie apart, the same both ways: 0 for equal, 1 for twice or half as much. */
export function factorBetween(a: number, b: number): number {
  if (a === b) return 0;
  const [low, high] = a < b ? [a, b] : [b, a];
  return low > 0 ? high / low - 1 : Infinity;
}
