import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { projectPath } from '../platform/project.js';
import { ensureLockedPython } from '../stack/install/python.js';
import { coresOf, DEFAULT_CORES } from './cores.js';
import { startGenerator, type Generator } from './load/generator.js';
import { pin } from './process.js';
import { checkAgreement, meanAnswerBytes } from './scoring/agreement.js';
import { ensureBundles } from './scoring/bundles.js';
import { SCORERS, startFloor, startScoring, type Running } from './scoring/contenders.js';
import { LIST_LENGTH, measureRound, predictionLog, warmUp, type Round } from './scoring/measure.js';
import { profileScorer, profileTable } from './scoring/profile.js';
import { compact, faults, judge, noise, table, TARGETS, verdicts } from './scoring/report.js';
import { chunksOf, someTransactions } from './scoring/transactions.js';
import { context, say, startMongo } from './setup.js';

// The scorer against FastAPI, MLServer and two floors, one core each: `npm run bench:scoring`. README.md says what is compared and how.

const TRANSACTIONS = 4_000;
/** all scorers must give the same answers to these, and to the golden ones */
const COMPARED = 50_000;

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    bundle: { type: 'string' },
    keys: { type: 'string' },
    cores: { type: 'string', default: DEFAULT_CORES },
    profile: { type: 'boolean', default: false },
    plot: { type: 'string', default: projectPath('reports', 'bench-scoring.svg') },
  },
});
const rounds = Number(options.rounds);
const seconds = Number(options.seconds);
const cores = coresOf(options.cores);
if (
  !(Number.isInteger(rounds) && rounds >= 1 && seconds > 0) ||
  cores === null ||
  (options.bundle === undefined) !== (options.keys === undefined)
)
  throw new Error(
    'usage: npm run bench:scoring -- [--rounds N] [--seconds N] [--bundle DIR --keys FILE] [--cores SERVER:LOAD:DATABASE] [--profile] [--plot FILE.svg]',
  );

const peer = (name: 'fastapi' | 'mlserver', estimate: string): Promise<string> =>
  ensureLockedPython(context, {
    lock: projectPath('bench', 'scoring', 'peers', `${name}.lock`),
    title: `the benchmark's ${name}`,
    estimate,
  });
const pythons = {
  fastapi: await peer('fastapi', '250 MB on disk, seconds from PyPI, once per user'),
  mlserver: await peer('mlserver', '350 MB on disk, seconds from PyPI, once per user'),
};
const { bundle, keys } =
  options.bundle !== undefined && options.keys !== undefined
    ? { bundle: options.bundle, keys: options.keys }
    : await ensureBundles().then(({ first, keys }) => ({ bundle: first, keys }));
const transactions = await someTransactions(TRANSACTIONS);

const directory = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
const running: Running[] = [];
const measured: Round[] = [];
let mongo: Awaited<ReturnType<typeof startMongo>> | undefined;
let generator: Generator | undefined;
try {
  mongo = await startMongo();
  if (mongo.pid !== null) await pin(mongo.pid, cores.others);
  const common = { core: cores.server, bundle, keys, directory, pythons, mongo: { uri: mongo.uri, database: 'bench' } };
  for (const name of SCORERS) running.push(await startScoring(name, common));
  const agreed = await checkAgreement(running, bundle, chunksOf(await someTransactions(COMPARED), LIST_LENGTH));
  say(`all scorers give the same answers to ${agreed.golden} golden and ${agreed.transactions} other transactions`);
  const [sluice, logged] = running as [Running, Running];
  const answerBytes = await meanAnswerBytes(sluice, transactions.slice(0, 500));
  for (const name of ['fastify', 'node'] as const) running.push(await startFloor(name, common, answerBytes));

  generator = await startGenerator(cores.load);
  await warmUp(running, generator, transactions);
  for (let round = 0; round < rounds; round += 1)
    measured.push(await measureRound(round, running, generator, transactions, seconds));
  report(answerBytes, await predictionLog(logged));
  if (options.profile) {
    const file = options.plot.replace(/\.svg$/, '') + '.cpuprofile';
    await mkdir(dirname(file), { recursive: true });
    const profile = await profileScorer({ ...common, file }, generator, transactions, seconds);
    process.stderr.write(`${profileTable(profile)}\n`);
  }
} finally {
  await generator?.stop();
  for (const server of running) await server.stop();
  await mongo?.stop();
  await rm(directory, { recursive: true, force: true });
}
await plot();

function report(answerBytes: number, log: { written: number; dropped: number }): void {
  const { judged, pass } = judge(measured);
  const wrong = faults(measured);
  const beside = noise(measured);
  const passed = pass && wrong.length === 0 && beside.quiet;
  process.stdout.write(`${table(measured)}\n\n${verdicts(judged)}\n`);
  for (const fault of wrong) process.stdout.write(`${fault}\n`);
  const share = `took over 10 % of the server's core (the most was ${Math.round(beside.worst * 100)} %)`;
  process.stdout.write(
    `others ${share} in ${beside.noisy} of ${beside.loads} loads${beside.quiet ? '' : ': too noisy to judge'}\n`,
  );
  process.stdout.write(`prediction log: ${log.written} written, ${log.dropped} dropped\n`);
  const about = { bench: 'scoring', rounds, seconds, cores: options.cores, answerBytes: Math.round(answerBytes) };
  const line = {
    ...about,
    predictionLog: log,
    contenders: compact(measured),
    targets: TARGETS,
    judged,
    noise: beside,
    faults: wrong,
  };
  process.stdout.write(`${JSON.stringify({ ...line, pass: passed })}\n`);
  process.exitCode = passed ? 0 : 1;
}

async function plot(): Promise<void> {
  await mkdir(dirname(options.plot), { recursive: true });
  const script = projectPath('bench', 'scoring', 'peers', 'plot.py');
  await execa(pythons.fastapi, [script, options.plot], { input: JSON.stringify(compact(measured)) });
  say(`the plot is ${options.plot}`);
}
