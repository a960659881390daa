import { createScorerMetrics, type ScorerMetrics } from '../scoring/metrics/scorer-metrics.js';

// What recording costs a request of the scorer: `npm run bench:metrics`. Everything that one scored transaction records, a million times a round.
// Then what one scrape costs, which is off the request's path and on its thread.

const TARGET_NANOSECONDS = 1_000;
const TURNS = 1_000_000;
const ROUNDS = 15;
const CATEGORIES = Array.from({ length: 20 }, (_, index) => `category_${index}`);

const metrics = createScorerMetrics(() => ({
  generation: 3,
  champion: {
    model: 'm',
    modelVersion: '3',
    bundleVersion: 'v',
    createdAtMs: Date.now(),
    fxAgeDays: 1,
    engine: 'kernel',
  },
  candidate: null,
  queuedRows: 0,
  predictionLog: { pending: 1, written: 2, dropped: 0, failed_batches: 0 },
}));
const hits = metrics.thresholds(CATEGORIES);
// Latencies as they come: most near 100 µs, some of milliseconds.
const seconds = Float64Array.from({ length: 1024 }, () => 0.00005 - Math.log(Math.random()) * 0.0003);

const record = (turn: number): void => {
  metrics.request('score', (turn & 63) === 0 ? 422 : 200);
  metrics.scored(seconds[turn & 1023] as number, 1, turn & 1);
  if ((turn & 1) === 1) hits.hit(CATEGORIES[turn % 20] as string);
};

function nanosecondsOf(work: (turn: number) => void): number {
  const startedAt = process.hrtime.bigint();
  for (let turn = 0; turn < TURNS; turn += 1) work(turn);
  return Number(process.hrtime.bigint() - startedAt) / TURNS;
}

async function millisecondsOfScrape({ text }: ScorerMetrics): Promise<number> {
  const startedAt = performance.now();
  for (let turn = 0; turn < 50; turn += 1) await text();
  return (performance.now() - startedAt) / 50;
}

const median = (all: number[]): number => all.sort((a, b) => a - b)[all.length >> 1] ?? NaN;

nanosecondsOf(record);
// Nothing is taken off: the loop and its arguments cost a few nanoseconds of it.
const rounds = Array.from({ length: ROUNDS }, () => nanosecondsOf(record));
const nanoseconds = median(rounds);
const scrapeMs = await millisecondsOfScrape(metrics);
// Every turn was counted: nothing of it was left out by the compiler.
const counted = /^sluice_scorer_rows_total\{arm="champion"\} (\d+)$/m.exec(await metrics.text())?.[1];
const checked = Number(counted) === TURNS * (ROUNDS + 1);
const pass = checked && nanoseconds < TARGET_NANOSECONDS;
process.stdout.write(
  `recording one request ${nanoseconds.toFixed(0)} ns (rounds: ${Math.min(...rounds).toFixed(0)} to ${Math.max(...rounds).toFixed(0)}), a scrape ${scrapeMs.toFixed(2)} ms\n`,
);
process.stdout.write(
  JSON.stringify({
    bench: 'metrics',
    rounds: ROUNDS,
    nanosecondsARequest: Number(nanoseconds.toFixed(1)),
    target: TARGET_NANOSECONDS,
    scrapeMs: Number(scrapeMs.toFixed(2)),
    checked,
    pass,
  }) + '\n',
);
if (!pass) process.exitCode = 1;
