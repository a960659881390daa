import type { ReferenceDistribution } from './reference-distribution.js';

/** A column of the reference cut into bins, and what a window has in each. */
export interface Bins {
  labels: string[];
  /** of the rows whose value is there; sums to one */
  reference: number[];
  /** @returns rows per bin, for values that are there */
  count(values: ArrayLike<number>): number[];
}

/**
 * Bins that hold about the same share of the reference each, cut at its quantiles and closed on the right. A value that many rows have makes
 * neighbouring cuts equal, and these are one; so there may be fewer bins than asked for.
 */
export function numericBins(reference: ReferenceDistribution, bins: number): Bins & { cuts: number[] } {
  const inner = Array.from({ length: bins - 1 }, (_, i) => reference.quantile((i + 1) / bins));
  const cuts = inner.filter((cut, i) => cut !== inner[i - 1]);
  const upTo = [...cuts.map((cut) => reference.cdf(cut)), 1];
  return {
    cuts,
    labels: upTo.map((_, i) => label(cuts[i - 1], cuts[i])),
    reference: upTo.map((share, i) => share - (upTo[i - 1] ?? 0)),
    count(values) {
      const counts = upTo.map(() => 0);
      for (let row = 0; row < values.length; row++) {
        const value = values[row] ?? NaN;
        let bin = 0;
        while (bin < cuts.length && value > (cuts[bin] ?? NaN)) bin++;
        counts[bin] = (counts[bin] ?? 0) + 1;
      }
      return counts;
    },
  };
}

/** One bin for each category of the reference and of the window, in order of their value; what only the window has is called new. */
export function categoryBins(
  reference: readonly { value: number; count: number }[],
  window: ArrayLike<number>,
  nameOf: (value: number) => string = String,
): Bins {
  const known = new Map(reference.map(({ value, count }) => [value, count]));
  const values = [...new Set([...known.keys(), ...Array.from(window)])].sort((a, b) => a - b);
  const rows = reference.reduce((sum, { count }) => sum + count, 0);
  const position = new Map(values.map((value, i) => [value, i]));
  return {
    labels: values.map((value) => `${nameOf(value)}${known.has(value) ? '' : ' (new)'}`),
    reference: values.map((value) => (rows === 0 ? 0 : (known.get(value) ?? 0) / rows)),
    count(rowsOf) {
      const counts = values.map(() => 0);
      for (let row = 0; row < rowsOf.length; row++) {
        const bin = position.get(rowsOf[row] ?? NaN);
        if (bin !== undefined) counts[bin] = (counts[bin] ?? 0) + 1;
      }
      return counts;
    },
  };
}

function label(above: number | undefined, upTo: number | undefined): string {
  if (above === undefined && upTo === undefined) return 'all';
  if (above === undefined) return `≤ ${short(upTo)}`;
  return upTo === undefined ? `> ${short(above)}` : `${short(above)} – ${short(upTo)}`;
}

function short(value: number | undefined): string {
  return value === undefined ? '' : String(Number(value.toPrecision(4)));
}
