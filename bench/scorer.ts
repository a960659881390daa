import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { execa } from 'execa';
import { projectPath } from '../platform/project.js';

// How fast a scorer answers: `node dist/bench/scorer.js --bundle DIR --keys trusted_keys.json`. It pins a scorer to the bundle in a process of
// its own, sends the bundle's golden transactions from another, and prints one JSON line per load. Three processes share the machine; with
// `--mongodb URI` the prediction log is on, MongoDB shares it as well, and the lines tell how many predictions were written and dropped.

const { values: options } = parseArgs({
  options: {
    bundle: { type: 'string' },
    keys: { type: 'string' },
    model: { type: 'string', default: 'ulb_gbdt' },
    seconds: { type: 'string', default: '10' },
    connections: { type: 'string', default: '64' },
    mongodb: { type: 'string' },
    port: { type: 'string', default: '18080' },
  },
});
if (options.bundle === undefined || options.keys === undefined)
  throw new Error('usage: node dist/bench/scorer.js --bundle DIR --keys FILE');
const url = `http://127.0.0.1:${options.port}`;

const golden = JSON.parse(await readFile(join(options.bundle, 'golden_vectors.json'), 'utf8')) as {
  raw: { transaction: object }[];
};
const transactions = golden.raw.map(({ transaction }) => transaction);
const list = (length: number) => Array.from({ length }, (_, index) => transactions[index % transactions.length]);

const scorer = execa(process.execPath, [projectPath('dist', 'scoring', 'main.js')], {
  env: {
    ARTIFACTS_DIR: options.bundle,
    SLUICE_TRUSTED_KEYS_FILE: options.keys,
    SCORER_PORT: options.port,
    SCORER_MODEL: options.model,
    ...(options.mongodb === undefined ? {} : { MONGODB_URI: options.mongodb, MONGODB_DATABASE: 'bench' }),
  },
  stdout: 'ignore',
  stderr: 'inherit',
  reject: false,
});
try {
  for (let tries = 0; !(await isReady()); tries += 1) {
    if (tries === 100) throw new Error('the scorer did not become ready');
    await delay(100);
  }
  for (const [name, body] of [
    ['one transaction', transactions[0]],
    ['a list of 100', list(100)],
  ] as const) {
    await load(body, '3');
    const { requests, latency, non2xx, errors } = await load(body, options.seconds);
    const result = {
      load: name,
      requestsPerSecond: requests.average,
      p50Ms: latency.p50,
      p99Ms: latency.p99,
      failed: non2xx + errors,
      ...(options.mongodb === undefined ? {} : { predictionLog: await logged() }),
    };
    process.stdout.write(JSON.stringify(result) + '\n');
  }
} finally {
  scorer.kill('SIGTERM');
  await scorer;
}

interface Load {
  requests: { average: number };
  latency: { p50: number; p99: number };
  non2xx: number;
  errors: number;
}

async function load(body: unknown, seconds: string): Promise<Load> {
  const autocannon = projectPath('node_modules', 'autocannon', 'autocannon.js');
  const flags = ['--json', '--connections', options.connections, '--duration', seconds, '--method', 'POST'];
  const { stdout } = await execa(process.execPath, [
    autocannon,
    ...flags,
    '--headers',
    'content-type=application/json',
    '--body',
    JSON.stringify(body),
    `${url}/v1/score`,
  ]);
  return JSON.parse(stdout) as Load;
}

async function isReady(): Promise<boolean> {
  return fetch(`${url}/v1/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** The log's counters since the scorer's start, once nothing waits any more. */
async function logged(): Promise<unknown> {
  for (;;) {
    const { prediction_log: counters } = (await (await fetch(`${url}/v1/health`)).json()) as {
      prediction_log: { pending: number } | null;
    };
    if (counters === null || counters.pending === 0) return counters;
    await delay(100);
  }
}
