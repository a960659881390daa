import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { importFixings } from '../ingest/index.js';
import { ensureWindowIndex } from '../stores/transactions/indexes.js';
import { rawInputs } from '../activities/refresh/rows/row-deriver.js';
import { runKey } from '../domain/runs/key.js';
import { objectStoreOf } from '../platform/connect.js';
import { loadSigner } from '../platform/keys.js';
import { loadModel } from '../platform/models.js';
import { connectMongo } from '../platform/mongo.js';
import { projectPath } from '../platform/project.js';
import { publishStatic } from './data/live-bundle.js';
import { CONTENDERS, expectEqual, judge, table, TARGETS, type Contender, type Measured } from './data/report.js';
import { makeRows } from './data/rows.js';
import { startJobs, type JobRunner } from './data/worker.js';
import type { MeasuredJob } from './data/workflow.js';
import { peersPython, say, startServers } from './setup.js';
import type { BundleId } from '../domain/bundle/id.js';

// The two row jobs against pandas, on one MongoDB in one run: `npm run bench:data`. README.md says what is measured and how.

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '647184,5000000' },
    limit: { type: 'string' },
    rounds: { type: 'string', default: '7,3' },
  },
});
const sizes = (options.limit ?? options.rows).split(',').map(Number);
const rounds = options.rounds.split(',').map(Number);
if ([...sizes, ...rounds].some((count) => !Number.isInteger(count) || count < 1))
  throw new Error('usage: npm run bench:data -- [--rows N,N | --limit N] [--rounds N,N (a number of rows each)]');

const AS_OF = Date.parse('2025-06-30T00:00:00Z');
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const JOBS: readonly { name: string; activity: MeasuredJob }[] = [
  { name: 'merchants', activity: 'refreshMerchantFrequency' },
  { name: 'categories', activity: 'refreshCategoryStats' },
];

const model = await loadModel(projectPath('models'), 'ulb_gbdt');
const { data, refresh } = model.spec;
const python = await peersPython();
const { stack, settings, stateDir, stop } = await startServers();
const store = objectStoreOf(settings);
const measured: Measured[] = [];
let minutes = 0;
try {
  await store.ensureBucket();
  const signer = await loadSigner(settings.SLUICE_SIGNING_KEY_FILE);
  const live = await publishStatic(store, signer, model, new Date(AS_OF).toISOString());
  for (const [index, rows] of sizes.entries())
    await measure(rows, rounds[index] ?? rounds[rounds.length - 1] ?? 1, live);
} finally {
  store.close();
  await stop();
}
const verdict = judge(measured);
process.stdout.write(`${table(measured)}\n`);
process.stdout.write(`${JSON.stringify({ bench: 'data', rounds, targets: TARGETS, measured, ...verdict })}\n`);
process.exitCode = verdict.pass ? 0 : 1;

async function measure(rows: number, rounds: number, live: BundleId): Promise<void> {
  const database = `bench_${rows}`;
  const mongo = await connectMongo({ uri: settings.MONGODB_URI, database });
  let runner: JobRunner | undefined;
  try {
    say(`making ${rows} rows`);
    await importFixings(
      { db: mongo.db, modelsDir: projectPath('models') },
      { file: projectPath('data', 'ecb_fixings.csv'), model: 'ulb_gbdt' },
    );
    const window = { fromMs: AS_OF - refresh.window_days * DAY_MS, toMs: AS_OF };
    await makeRows(mongo.db, data, projectPath('data', 'bank_transactions_demo.csv.gz'), window, rows);
    const fields = rawInputs(model.registry.derived).map(({ name }) => name);
    const index = Object.keys(await ensureWindowIndex(mongo.db, data, fields));
    await mongo.db.admin().command({ fsync: 1 });
    runner = await startJobs(stack.env, database);
    for (const job of JOBS) measured.push(await measureJob(job, rows, rounds, database, index, live, runner));
  } finally {
    await runner?.stop();
    await mongo.db.dropDatabase();
    await mongo.close();
  }
}

/** Every contender once to warm up, then round by round, each round beginning with another one. */
async function measureJob(
  job: (typeof JOBS)[number],
  rows: number,
  rounds: number,
  database: string,
  index: readonly string[],
  live: BundleId,
  runner: JobRunner,
): Promise<Measured> {
  const result: Measured = {
    rows,
    job: job.name,
    seconds: { sluice: [], pandas: [], pymongoarrow: [] },
    wholeJob: [],
    peakMb: { sluice: 0, pandas: 0, pymongoarrow: 0 },
  };
  for (let round = 0; round <= rounds; round++) {
    // A key of its own for each round, or the job would answer with what it stored; the same rows, which keep away from the window's ends.
    const asOf = new Date(AS_OF + minutes++ * MINUTE_MS).toISOString();
    const documents = new Map<Contender, unknown>();
    for (const contender of CONTENDERS.map((_, at) => CONTENDERS[(at + round) % CONTENDERS.length] as Contender)) {
      const { seconds, wholeJob, peakMb, document }: Run =
        contender === 'sluice'
          ? await runOurs(job.activity, asOf, database, live, runner)
          : await runTheirs(contender, job.name, asOf, database, index);
      documents.set(contender, document);
      result.peakMb[contender] = Math.max(result.peakMb[contender], peakMb);
      if (round > 0) {
        result.seconds[contender].push(seconds);
        if (wholeJob !== undefined) result.wholeJob.push(wholeJob);
      }
      const whole = wholeJob === undefined ? '' : `, the whole job ${wholeJob.toFixed(2)} s`;
      say(
        `${rows} rows, ${job.name}, ${round === 0 ? 'warm-up' : `round ${round}`}: ${contender} ${seconds.toFixed(2)} s${whole}`,
      );
    }
    for (const contender of ['pandas', 'pymongoarrow'] as const)
      expectEqual(contender, documents.get('sluice'), documents.get(contender));
  }
  return result;
}

interface Run {
  /** of reading and computing */
  seconds: number;
  /** ours: with verifying the live bundle, comparing and storing */
  wholeJob?: number;
  peakMb: number;
  document: unknown;
}

async function runOurs(
  job: MeasuredJob,
  asOf: string,
  database: string,
  live: BundleId,
  runner: JobRunner,
): Promise<Run> {
  const key = runKey(asOf);
  const { seconds, computing, artifacts } = await runner.run(job, { model: model.spec.model, asOf, key, live });
  const stored = await store.get(artifacts[0]?.objectKey ?? '');
  if (stored === null) throw new Error(`${job} stored nothing in ${database}`);
  return {
    seconds: computing,
    wholeJob: seconds,
    peakMb: await runner.peakMemoryMb(),
    document: JSON.parse(stored.bytes.toString('utf8')) as unknown,
  };
}

async function runTheirs(
  reader: Contender,
  job: string,
  asOf: string,
  database: string,
  index: readonly string[],
): Promise<Run> {
  const out = join(stateDir, 'result.json');
  const from = new Date(Date.parse(asOf) - refresh.window_days * DAY_MS);
  const time = (iso: string): string => iso.replace('Z', '');
  const { stdout } = await execa(python, [
    // pymongoarrow says on import that it was built against another patch release of pyarrow; its results are compared with ours
    ...['-W', 'ignore::RuntimeWarning'],
    projectPath('bench', 'data', 'pandas_jobs.py'),
    ...['--uri', settings.MONGODB_URI, '--database', database, '--job', job, '--reader', reader],
    ...['--from', time(from.toISOString()), '--to', time(asOf), '--index', index.join(','), '--out', out],
    ...['--synonyms', projectPath('models', model.spec.model, 'operation_type_synonyms.json')],
  ]);
  const { seconds, peak_mb: peakMb } = JSON.parse(stdout) as { seconds: number; peak_mb: number };
  return { seconds, peakMb, document: JSON.parse(await readFile(out, 'utf8')) as unknown };
}
