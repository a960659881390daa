import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { importFixings } from '../ingest/index.js';
import { objectStoreOf } from '../platform/connect.js';
import { loadModel } from '../platform/models.js';
import { connectMongo } from '../platform/mongo.js';
import { projectPath } from '../platform/project.js';
import { makeRows } from './data/rows.js';
import { context, peersPython, say, startServers } from './setup.js';
import { ensureOldCode, OLD_COMMIT } from './snapshot/old-code.js';
import { CONTENDERS, judge, TARGETS, type Contender, type Measured } from './snapshot/report.js';
import { startRunner, type SnapshotRunner } from './snapshot/runs.js';

// The training snapshot against its former self and against pymongoarrow, on one MongoDB in one run: `npm run bench:snapshot`. README.md says how.

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '647184,5000000' },
    rounds: { type: 'string', default: '3,1' },
    file: { type: 'string', default: projectPath('data', 'bank_transactions_demo.csv.gz') },
  },
});
const sizes = options.rows.split(',').map(Number);
const rounds = options.rounds.split(',').map(Number);
if ([...sizes, ...rounds].some((count) => !Number.isInteger(count) || count < 1))
  throw new Error(
    'usage: npm run bench:snapshot -- [--rows N,N] [--rounds N,N (a number of rows each)] [--file CSV.gz]',
  );

/** late enough for every label to be known and every row to be mature */
const AS_OF = '2025-08-15T00:00:00.000Z';
const MODEL = 'ulb_gbdt';
const ROWS = { fromMs: Date.parse('2024-12-31T22:00:00Z'), toMs: Date.parse('2025-07-02T00:00:00Z') };

const python = await peersPython();
const oldCode = await ensureOldCode(context);
const WORKERS = {
  sluice: projectPath('dist', 'workers', 'data', 'main.js'),
  old: join(oldCode, 'dist', 'workers', 'data.js'),
} as const;
const model = await loadModel(projectPath('models'), MODEL);
const { stack, settings, stateDir, stop } = await startServers();
const measured: Measured[] = [];
let runner: SnapshotRunner | undefined;
try {
  runner = await startRunner(stack.env);
  const most = Math.min(...sizes);
  for (const [index, rows] of sizes.entries()) {
    // The others are asked at the smallest size only: at five million rows, the one takes ten minutes and the other gigabytes.
    const contenders = rows === most ? CONTENDERS : (['sluice'] as const);
    measured.push(await measure(runner, rows, rounds[index] ?? rounds[rounds.length - 1] ?? 1, contenders));
  }
} finally {
  await runner?.stop();
  await stop();
}
const verdict = judge(measured);
process.stdout.write(
  `${JSON.stringify({ bench: 'snapshot', compared: { old: OLD_COMMIT, arrow: 'pymongoarrow + pandas + pyarrow' }, rounds, targets: TARGETS, measured, ...verdict })}\n`,
);
process.exitCode = verdict.pass ? 0 : 1;

async function measure(
  runner: SnapshotRunner,
  rows: number,
  rounds: number,
  contenders: readonly Contender[],
): Promise<Measured> {
  const database = `bench_${rows}`;
  const mongo = await connectMongo({ uri: settings.MONGODB_URI, database });
  try {
    say(`making ${rows} rows`);
    await importFixings(
      { db: mongo.db, modelsDir: projectPath('models') },
      { file: projectPath('data', 'ecb_fixings.csv'), model: MODEL },
    );
    await makeRows(mongo.db, model.spec.data, options.file, ROWS, rows);
    await mongo.db.admin().command({ fsync: 1 });
    const result: Measured = { rows, seconds: {}, peakMb: {} };
    for (let round = 0; round < rounds; round++) {
      const tables = new Map<Contender, string>();
      const ids = new Set<string>();
      for (const contender of contenders.map((_, at) => contenders[(at + round) % contenders.length] as Contender)) {
        const path = join(stateDir, `${contender}.parquet`);
        const run =
          contender === 'arrow'
            ? await runArrow(database, path)
            : await runOurs(runner, contender, `${contender}-${rows}-${round}`, database, path);
        if (run.id !== null) ids.add(run.id);
        tables.set(contender, path);
        (result.seconds[contender] ??= []).push(run.seconds);
        result.peakMb[contender] = Math.max(result.peakMb[contender] ?? 0, run.peakMb);
        say(`${rows} rows, round ${round + 1}: ${contender} ${run.seconds.toFixed(2)} s, ${Math.round(run.peakMb)} MB`);
      }
      if (ids.size !== 1) throw new Error(`the same rows have several ids: ${[...ids].join(', ')}`);
      await expectSame(tables, 'old', 'exact');
      await expectSame(tables, 'arrow', 'close');
    }
    return result;
  } finally {
    await mongo.db.dropDatabase();
    await mongo.close();
  }
}

interface Run {
  seconds: number;
  peakMb: number;
  id: string | null;
}

async function runOurs(
  runner: SnapshotRunner,
  contender: keyof typeof WORKERS,
  bucket: string,
  database: string,
  path: string,
): Promise<Run> {
  const store = objectStoreOf({ ...settings, S3_BUCKET: bucket });
  try {
    await store.ensureBucket();
    const { ref, seconds, peakMb } = await runner.run(WORKERS[contender], bucket, database, AS_OF);
    await store.getToFile(ref.parquetKey, path);
    return { seconds, peakMb, id: ref.dataSnapshotId };
  } finally {
    store.close();
  }
}

async function runArrow(database: string, path: string): Promise<Run> {
  const { stdout } = await execa(python, [
    // pymongoarrow says on import that it was built against another patch release of pyarrow; its results are compared with ours
    ...['-W', 'ignore::RuntimeWarning'],
    projectPath('bench', 'snapshot', 'pandas_snapshot.py'),
    ...['--uri', settings.MONGODB_URI, '--database', database, '--as-of', AS_OF.replace('Z', '')],
    ...['--synonyms', projectPath('models', MODEL, 'operation_type_synonyms.json'), '--out', path],
  ]);
  const { seconds, peak_mb: peakMb } = JSON.parse(stdout) as { seconds: number; peak_mb: number };
  return { seconds, peakMb, id: null };
}

async function expectSame(tables: Map<Contender, string>, other: Contender, features: string): Promise<void> {
  const [ours, theirs] = [tables.get('sluice'), tables.get(other)];
  if (ours === undefined || theirs === undefined) return;
  const script = projectPath('bench', 'snapshot', 'compare_tables.py');
  const { exitCode, stdout, stderr } = await execa(python, [script, ours, theirs, '--features', features], {
    reject: false,
  });
  if (exitCode !== 0) throw new Error(`the table differs from that of ${other}: ${stdout}${stderr}`);
}
