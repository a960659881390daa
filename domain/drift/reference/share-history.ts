import type { ReferenceCalendar } from './blocks.js';

/** Some of some: caught of frauds. */
export interface Share {
  hits: number;
  of: number;
}

/** A share of the reference as it is on held-out days, and how much more than independent draws it varies from days to days. */
export interface UsualShare extends Share {
  share: number;
  /** variance over that of independent draws, at least 1: what comes in bursts says less than its number suggests */
  spread: number;
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
  const squares = [calendar.heldOut, calendar.fitted].flatMap((stratum) => {
    const all = sumOf(stratum.map(shareAt));
    const share = all.hits / all.of;
    const draws = share * (1 - share);
    return draws > 0
      ? calendar.blocks([stratum], length).blocks.flatMap(({ days }) => {
          const { hits, of } = sumOf(days.map(shareAt));
          return of === 0 ? [] : [(hits - of * share) ** 2 / (of * draws)];
        })
      : [];
  });
  const spread = squares.length === 0 ? 1 : squares.reduce((sum, square) => sum + square, 0) / squares.length;
  return { ...heldOut, share: heldOut.hits / heldOut.of, spread: Math.max(1, spread) };
}

function sumOf(shares: readonly Share[]): Share {
  return shares.reduce((all, one) => ({ hits: all.hits + one.hits, of: all.of + one.of }), { hits: 0, of: 0 });
}
