import type { MerchantFreqMap } from '../../schemas/types.js';
import { changedKeys, factorBetween, type Difference } from './compare.js';

/** A key with fewer rows in both windows tells more about chance than about itself. */
const ENOUGH_ROWS = 100;

/**
 * How far a frequency map lies from the live one. A move is how many times as frequent a key has become, or how many times as rare, less one
 * (twice or half is 1), whatever the number of rows in either window. It counts for keys with 100 rows or more in at least one window, where
 * chance alone moves a frequency by a fifth at most. A key that one side lacks was seen less than `minCount` times there, and is taken to have been
 * seen just so often: a large merchant that comes or goes is a large move.
 */
export function compareFrequencies(own: MerchantFreqMap, live: MerchantFreqMap, minCount: number): Difference {
  const ownKeys = new Set(Object.keys(own.frequencies));
  const liveKeys = new Set(Object.keys(live.frequencies));
  let move: Difference['move'] = null;
  for (const key of new Set([...ownKeys, ...liveKeys])) {
    const now = frequencyOf(own, key, minCount);
    const before = frequencyOf(live, key, minCount);
    if (Math.round(Math.max(now * own.total, before * live.total)) < ENOUGH_ROWS) continue;
    const largest = factorBetween(now, before);
    if (move === null || largest > move.largest)
      move = { largest, of: `${key}: ${percent(before)} live, ${percent(now)} now` };
  }
  return { size: { live: liveKeys.size, own: ownKeys.size }, changed: changedKeys(ownKeys, liveKeys), move };
}

function frequencyOf({ total, frequencies }: MerchantFreqMap, key: string, minCount: number): number {
  const known = Object.hasOwn(frequencies, key) ? frequencies[key] : undefined;
  return known ?? minCount / Math.max(total, 1);
}

function percent(frequency: number): string {
  return `${Number((frequency * 100).toPrecision(3))} %`;
}
