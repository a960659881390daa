import type { CategoryStats, MerchantFreqMap } from '../../schemas/types.js';
import { aligned, median, round } from '../figures.js';

export const CONTENDERS = ['sluice', 'pandas', 'pymongoarrow'] as const;
export type Contender = (typeof CONTENDERS)[number];

/** What one job took on one number of rows, in seconds, a figure per round; peak memory in MB. */
export interface Measured {
  rows: number;
  job: string;
  /** of reading and computing, which is what all contenders do */
  seconds: Record<Contender, number[]>;
  /** ours: with verifying the live bundle, comparing and storing */
  wholeJob: number[];
  peakMb: Record<Contender, number>;
}

/** pandas over a cursor ÷ ours, at least; pymongoarrow ÷ ours, at least; the worker's memory, at most; growth of time ÷ growth of rows, at most. */
export const TARGETS = { pandas: 3, pymongoarrow: 1, memoryMb: 200, growth: 1 } as const;

export interface Verdict {
  ratios: {
    rows: number;
    job: string;
    pandas: number;
    pymongoarrow: number;
    /** pandas' reading and computing ÷ our whole job: told, not judged */
    pandasToWholeJob: number;
    memoryMb: number;
  }[];
  /** of the whole job; null with one number of rows only */
  growth: { job: string; time: number; rows: number; timePerRow: number }[] | null;
  pass: boolean;
}

const byRound = (theirs: readonly number[], ours: readonly number[]): number[] =>
  theirs.map((seconds, at) => seconds / (ours[at] ?? NaN));

/**
 * Ratios and growth against the targets. A ratio is the median of the rounds' own: what runs within seconds of each other meets the machine in the
 * same state, which changes by half from minute to minute.
 */
export function judge(measured: readonly Measured[]): Verdict {
  const ratios = measured.map(({ rows, job, seconds, wholeJob, peakMb }) => ({
    rows,
    job,
    pandas: round(median(byRound(seconds.pandas, seconds.sluice))),
    pymongoarrow: round(median(byRound(seconds.pymongoarrow, seconds.sluice))),
    pandasToWholeJob: round(median(byRound(seconds.pandas, wholeJob))),
    memoryMb: Math.round(peakMb.sluice),
  }));
  const jobs = [...new Set(measured.map(({ job }) => job))];
  const growth = jobs.flatMap((job) => {
    const sizes = measured.filter((one) => one.job === job).sort((a, b) => a.rows - b.rows);
    const [small, large] = [sizes[0], sizes[sizes.length - 1]];
    if (small === undefined || large === undefined || small === large) return [];
    const time = median(large.wholeJob) / median(small.wholeJob);
    const rows = large.rows / small.rows;
    return [{ job, time: round(time), rows: round(rows), timePerRow: round(time / rows) }];
  });
  const pass =
    ratios.every(
      ({ pandas, pymongoarrow, memoryMb }) =>
        pandas >= TARGETS.pandas && pymongoarrow >= TARGETS.pymongoarrow && memoryMb < TARGETS.memoryMb,
    ) && growth.every(({ timePerRow }) => timePerRow <= TARGETS.growth);
  return { ratios, growth: growth.length === 0 ? null : growth, pass };
}

/** One line per job and number of rows: median seconds, ratio and peak memory of each contender. */
export function table(measured: readonly Measured[]): string {
  const lines = [
    [
      'rows',
      'job',
      ...CONTENDERS.map((name) => `${name} s`),
      'whole job s',
      'pandas ÷',
      'arrow ÷',
      ...CONTENDERS.map((name) => `${name} MB`),
    ],
  ];
  for (const [index, { pandas, pymongoarrow }] of judge(measured).ratios.entries()) {
    const { rows, job, seconds, wholeJob, peakMb } = measured[index] as Measured;
    const times = [...CONTENDERS.map((name) => seconds[name]), wholeJob].map(
      (all) => `${round(median(all))} (${round(Math.min(...all))})`,
    );
    lines.push([
      String(rows),
      job,
      ...times,
      `${pandas}×`,
      `${pymongoarrow}×`,
      ...CONTENDERS.map((name) => String(Math.round(peakMb[name]))),
    ]);
  }
  return aligned(lines);
}

/**
 * Whether two contenders made the same: counts exactly, quantiles to 1e-9.
 * @throws Error that says where they differ
 */
export function expectEqual(who: string, ours: unknown, theirs: unknown): void {
  const differ = (what: string, a: unknown, b: unknown): never => {
    throw new Error(`${who} made another result: ${what} is ${JSON.stringify(b)}, ours ${JSON.stringify(a)}`);
  };
  if ('frequencies' in (theirs as object)) {
    const [own, other] = [ours as MerchantFreqMap, theirs as MerchantFreqMap];
    if (own.total !== other.total) differ('total', own.total, other.total);
    const names = new Set([...Object.keys(own.frequencies), ...Object.keys(other.frequencies)]);
    for (const name of names)
      if (own.frequencies[name] !== other.frequencies[name])
        differ(name, own.frequencies[name], other.frequencies[name]);
    return;
  }
  const [own, other] = [ours as CategoryStats, theirs as CategoryStats];
  const names = new Set([...Object.keys(own.categories), ...Object.keys(other.categories)]);
  for (const name of ['overall', ...names]) {
    const [a, b] = name === 'overall' ? [own.overall, other.overall] : [own.categories[name], other.categories[name]];
    if (a === undefined || b === undefined || a.count !== b.count) return differ(name, a, b);
    for (const figure of ['median', 'iqr', 'p995'] as const)
      if (Math.abs(a[figure] - b[figure]) > 1e-9 * Math.abs(a[figure])) differ(`${figure} of ${name}`, a, b);
  }
}
