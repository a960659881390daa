import type { ReferenceCalendar } from './blocks.js';

/** Some of some: caught of frauds. */
export interface Share {
  hits: number;
  of: number;
}

/** A share of the reference as it is on held-out days, and how much more than independent draws it varies from days to days. */
export interface UsualShare extends Share {
  share: number;
  /**
   * Variance over that of independent draws for so many of a window, at least 1: what comes in bursts says less than its number suggests. Of a few
   * of them hardly two are of one burst.
   */
  spreadOf(count: number): number;
}

/**
 * @param shareAt of a day by its place
 * @param length days of the window that it will be compared with
 * @returns null without any
 */
export function usualShare(
  calendar: ReferenceCalendar,
  shareAt: (place: number) => Share,
  length: number,
): UsualShare | null {
  const heldOut = sumOf(calendar.heldOut.map(shareAt));
  if (heldOut.of === 0) return null;
  const blocks = [calendar.heldOut, calendar.fitted].flatMap((stratum) => {
    const all = sumOf(stratum.map(shareAt));
    const share = all.hits / all.of;
    const draws = share * (1 - share);
    if (!(draws > 0)) return [];
    return calendar.blocks([stratum], length).blocks.flatMap(({ days }) => {
      const { hits, of } = sumOf(days.map(shareAt));
      return of === 0 ? [] : [{ of, square: (hits - of * share) ** 2 / (of * draws) }];
    });
  });
  const mean = (of: 'of' | 'square'): number => blocks.reduce((sum, block) => sum + block[of], 0) / blocks.length;
  const beyondDraws = blocks.length === 0 ? 0 : Math.max(0, mean('square') - 1);
  return {
    ...heldOut,
    share: heldOut.hits / heldOut.of,
    spreadOf: (count) => (beyondDraws === 0 ? 1 : 1 + beyondDraws * Math.min(1, count / mean('of'))),
  };
}

function sumOf(shares: readonly Share[]): Share {
  return shares.reduce((all, one) => ({ hits: all.hits + one.hits, of: all.of + one.of }), { hits: 0, of: 0 });
}
