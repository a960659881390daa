import type { CategoryStats, Stats } from '../../schemas/types.js';
import { changedKeys, factorBetween, type Difference } from './compare.js';

/** Of a group with fewer rows, in either window, no median is known well enough to be compared … */
const ENOUGH_FOR_MEDIAN = 200;
/** … and no 99.5 % quantile: above it lie ten rows. */
const ENOUGH_FOR_CAP = 2_000;

/**
 * How far robust statistics lie from the live ones, in the measure in which features use them: a median moves by interquartile ranges of the live
 * group (1 is one range); a range and a cap by the factor between old and new, less one (twice or half is 1). All groups and the
 * overall figures; those with too few rows in either window count as keys only. A range or cap of 0 counts as 1, as it does in features.
 */
export function compareStats(own: CategoryStats, live: CategoryStats): Difference {
  const ownKeys = new Set(Object.keys(own.categories));
  const liveKeys = new Set(Object.keys(live.categories));
  let move: Difference['move'] = null;
  const compare = (name: string, now: Stats, before: Stats): void => {
    for (const { figure, size } of movesOf(now, before)) {
      if (move !== null && size <= move.largest) continue;
      move = { largest: size, of: `${figure} of ${name}: ${short(before[figure])} live, ${short(now[figure])} now` };
    }
  };
  compare('all rows', own.overall, live.overall);
  for (const [name, now] of Object.entries(own.categories)) {
    const before = Object.hasOwn(live.categories, name) ? live.categories[name] : undefined;
    if (before !== undefined) compare(name, now, before);
  }
  return { size: { live: liveKeys.size, own: ownKeys.size }, changed: changedKeys(ownKeys, liveKeys), move };
}

function movesOf(now: Stats, before: Stats): { figure: 'median' | 'iqr' | 'p995'; size: number }[] {
  const rows = Math.min(now.count, before.count);
  if (rows < ENOUGH_FOR_MEDIAN) return [];
  return [
    { figure: 'median', size: Math.abs(now.median - before.median) / orOne(before.iqr) },
    { figure: 'iqr', size: factorBetween(orOne(now.iqr), orOne(before.iqr)) },
    ...(rows < ENOUGH_FOR_CAP
      ? []
      : [{ figure: 'p995' as const, size: factorBetween(orOne(now.p995), orOne(before.p995)) }]),
  ];
}

function orOne(value: number): number {
  return value > 0 ? value : 1;
}

function short(value: number): string {
  return String(Number(value.toPrecision(5)));
}
