import { worthInBase, type Fixing } from '../lookups/fixings.js';
import { businessDays, lastBusinessDay } from './calendar.js';

/** Providers round to six digits; what differs by less is the same rate. */
const SAME = 1e-6;

/**
 * Which days to ask a provider for: from the first business day without a stored fixing; the latest business day where all are there, so that
 * the source is heard, and what is stored compared with it, every time.
 * @param first day from which fixings are needed
 * @param asOfDay the last one
 */
export function daysToAsk(
  stored: ReadonlySet<string>,
  first: string,
  asOfDay: string,
): { from: string; to: string; missing: string[] } {
  const missing = businessDays(first, asOfDay).filter((day) => !stored.has(day));
  return { from: missing[0] ?? lastBusinessDay(asOfDay), to: asOfDay, missing };
}

/**
 * What a provider's fixings add to the stored ones. A stored day stands, whatever the provider says of it now: bundles and training tables were made
 * with it.
 * @returns the new ones; a note for every day on which the two differ
 */
export function mergeFixings(
  stored: readonly Fixing[],
  published: readonly Fixing[],
  baseCurrency: string,
): { added: Fixing[]; notes: string[] } {
  const byDay = new Map(stored.map((fixing) => [fixing._id, fixing]));
  const added: Fixing[] = [];
  const notes: string[] = [];
  for (const fixing of published) {
    const stored = byDay.get(fixing._id);
    if (stored === undefined) added.push(fixing);
    else {
      const difference = largestDifference(stored, fixing, baseCurrency);
      if (difference !== null)
        notes.push(
          `the stored fixing of ${fixing._id} stands, though the source says otherwise now: ${difference}. If the stored one is wrong, correct it in the collection by hand`,
        );
    }
  }
  return { added, notes };
}

/** In words, or null when both say the same. Compared in the base currency, since two sources may quote against different ones. */
function largestDifference(stored: Fixing, published: Fixing, baseCurrency: string): string | null {
  const ours = worthInBase(stored, baseCurrency);
  const theirs = worthInBase(published, baseCurrency);
  let largest = { share: SAME, currency: '' };
  for (const [currency, rate] of Object.entries(theirs)) {
    const own = ours[currency];
    const share = own === undefined ? 0 : Math.abs(rate / own - 1);
    if (share > largest.share) largest = { share, currency };
  }
  if (largest.currency === '') return null;
  return `${largest.currency} by ${(largest.share * 100).toPrecision(3)} %`;
}
