import { quantileOfSorted } from '../../domain/lookups/quantile.js';

export const CONTENDERS = ['sluice', 'old', 'arrow'] as const;
export type Contender = (typeof CONTENDERS)[number];

/** What each contender took on one number of rows, in seconds, a figure per round; peak memory in MB. */
export interface Measured {
  rows: number;
  seconds: Partial<Record<Contender, number[]>>;
  peakMb: Partial<Record<Contender, number>>;
}

/** The old code's time ÷ ours, at least; the peer's ÷ ours, at least; our worker's memory, below; our time per row at more rows ÷ at fewer, at most. */
export const TARGETS = { old: 5, arrow: 1, memoryMb: 400, growth: 1 } as const;

export interface Verdict {
  ratios: { old: number | null; arrow: number | null };
  /** µs of the whole activity */
  perRow: { rows: number; us: number; memoryMb: number }[];
  growth: number | null;
  missed: string[];
  pass: boolean;
}

const round = (value: number): number => Number(value.toPrecision(3));
const median = (values: readonly number[]): number => quantileOfSorted(Float64Array.from(values).sort(), 0.5);

/**
 * A ratio is the median of the rounds' own, at the smaller number of rows: what runs within seconds of each other meets the machine in the same state.
 */
export function judge(measured: readonly Measured[]): Verdict {
  const bySize = [...measured].sort((a, b) => a.rows - b.rows);
  const [small, large] = [bySize[0], bySize[bySize.length - 1]];
  const ratio = (contender: Contender): number | null => {
    const theirs = small?.seconds[contender] ?? [];
    const ours = small?.seconds.sluice ?? [];
    return theirs.length === 0 ? null : round(median(theirs.map((seconds, at) => seconds / (ours[at] ?? NaN))));
  };
  const perRow = bySize.map(({ rows, seconds, peakMb }) => ({
    rows,
    us: round((median(seconds.sluice ?? []) * 1e6) / rows),
    memoryMb: Math.round(peakMb.sluice ?? NaN),
  }));
  const growth = small === large ? null : round((perRow[perRow.length - 1]?.us ?? NaN) / (perRow[0]?.us ?? NaN));
  const ratios = { old: ratio('old'), arrow: ratio('arrow') };
  const missed = [
    ...(['old', 'arrow'] as const).flatMap((contender) => {
      const value = ratios[contender];
      return value !== null && !(value >= TARGETS[contender])
        ? [`${contender}: ${value} below ${TARGETS[contender]}`]
        : [];
    }),
    ...perRow.flatMap(({ rows, memoryMb }) =>
      memoryMb < TARGETS.memoryMb ? [] : [`memory at ${rows} rows: ${memoryMb} MB, not below ${TARGETS.memoryMb}`],
    ),
    ...(growth !== null && growth > TARGETS.growth
      ? [`growth of time per row: ${growth} above ${TARGETS.growth}`]
      : []),
  ];
  return { ratios, perRow, growth, missed, pass: missed.length === 0 };
}
