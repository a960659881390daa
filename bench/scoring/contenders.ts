import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import getPort from 'get-port';
import { projectPath } from '../../platform/project.js';
import { startPinned, type Pinned, type RunningServer } from '../process.js';
import { MODEL } from './bundles.js';
import type { Transaction } from './transactions.js';

/** in the order of the table */
export const CONTENDERS = ['sluice', 'sluiceLogged', 'fastapi', 'mlserver', 'fastify', 'node'] as const;
export type Contender = (typeof CONTENDERS)[number];
/** those that score */
export const SCORERS = ['sluice', 'sluiceLogged', 'fastapi', 'mlserver'] as const satisfies readonly Contender[];

export const TITLES: Record<Contender, string> = {
  sluice: 'Sluice, prediction log off',
  sluiceLogged: 'Sluice, prediction log on',
  fastapi: 'FastAPI + onnxruntime',
  mlserver: 'MLServer, custom runtime',
  fastify: 'empty Fastify route',
  node: 'bare node:http',
};

/** A server that is up, and how it is asked. */
export interface Running extends RunningServer {
  name: Contender;
  /** that it is pinned to */
  cores: string;
  port: number;
  path: string;
  body(transactions: readonly Transaction[]): string;
  /** the results in an answer's body */
  results(answer: string): unknown[];
}

/** One process of Sluice's scorer. */
export interface ScorerOptions {
  core: string;
  port: number;
  stateDir: string;
  keys: string;
  env: Record<string, string>;
}

export function sluiceScorer({ core, port, stateDir, keys, env }: ScorerOptions): Pinned {
  return {
    name: 'the scorer',
    core,
    command: process.execPath,
    // as the images start it
    args: ['--enable-source-maps', projectPath('dist', 'scoring', 'main.js')],
    env: {
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
      NODE_ENV: 'production',
      SCORER_MODEL: MODEL,
      SCORER_PORT: String(port),
      SCORER_PROCESSES: '1',
      SCORER_REPLICA_ID: `bench-${port}`,
      SLUICE_STATE_DIR: stateDir,
      SLUICE_TRUSTED_KEYS_FILE: keys,
      LOG_LEVEL: 'warn',
      ...env,
    },
    readyUrl: `http://127.0.0.1:${port}/v1/health`,
  };
}

export interface ContenderOptions {
  core: string;
  bundle: string;
  keys: string;
  /** for what a server writes */
  directory: string;
  /** with the packages of each peer */
  pythons: { fastapi: string; mlserver: string };
  mongo: { uri: string; database: string };
}

/** Starts a contender that scores. */
export async function startScoring(name: (typeof SCORERS)[number], options: ContenderOptions): Promise<Running> {
  const port = await getPort();
  const sluice = (env: Record<string, string>): Pinned =>
    sluiceScorer({
      core: options.core,
      port,
      keys: options.keys,
      stateDir: join(options.directory, name),
      env: { ARTIFACTS_DIR: options.bundle, ...env },
    });
  const { uri, database } = options.mongo;
  const how: Record<typeof name, () => Pinned | Promise<Pinned>> = {
    sluice: () => sluice({ SCORER_PREDICTION_LOG: 'off' }),
    sluiceLogged: () => sluice({ MONGODB_URI: uri, MONGODB_DATABASE: database, SCORER_PREDICTION_LOG: 'on' }),
    fastapi: () => fastapi(options, port),
    mlserver: () => mlserver(options, port),
  };
  const server = await startPinned(await how[name]());
  return { ...server, name, cores: options.core, port, ...(name === 'mlserver' ? V2 : V1) };
}

/** Starts one that does not score, and answers with this many bytes. */
export async function startFloor(
  name: 'fastify' | 'node',
  { core, bundle }: Pick<ContenderOptions, 'core' | 'bundle'>,
  answerBytes: number,
): Promise<Running> {
  const port = await getPort();
  const server = await startPinned({
    name: TITLES[name],
    core,
    command: process.execPath,
    args: [
      projectPath('dist', 'bench', 'scoring', 'floors', `${name}.js`),
      ...[String(port), String(Math.round(answerBytes)), join(bundle, 'request_schema.json')],
    ],
    env: { NODE_ENV: 'production' },
    readyUrl: `http://127.0.0.1:${port}/v1/health`,
  });
  return { ...server, name, cores: core, port, ...V1 };
}

const V1: Pick<Running, 'path' | 'body' | 'results'> = {
  path: '/v1/score',
  body: (transactions) => JSON.stringify(transactions.length === 1 ? transactions[0] : transactions),
  results: (answer) => (JSON.parse(answer) as { results: unknown[] }).results,
};

const V2: Pick<Running, 'path' | 'body' | 'results'> = {
  path: `/v2/models/${MODEL}/infer`,
  body: (transactions) =>
    JSON.stringify({
      inputs: [
        {
          name: 'transactions',
          shape: [transactions.length, 1],
          datatype: 'BYTES',
          data: transactions.map((transaction) => JSON.stringify(transaction)),
        },
      ],
    }),
  results: (answer) =>
    (JSON.parse(answer) as { outputs: { data: string[] }[] }).outputs[0]?.data.map(
      (text) => JSON.parse(text) as unknown,
    ) ?? [],
};

const PEERS = projectPath('bench', 'scoring', 'peers');
/** one thread each: what competes is one core */
const ONE_THREAD = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1', PYTHONDONTWRITEBYTECODE: '1', PYTHONPATH: PEERS };

function fastapi({ core, bundle, pythons }: ContenderOptions, port: number): Pinned {
  return {
    name: TITLES.fastapi,
    core,
    command: pythons.fastapi,
    args: [join(PEERS, 'fastapi_app.py'), bundle, String(port)],
    env: ONE_THREAD,
    readyUrl: `http://127.0.0.1:${port}/v1/health`,
  };
}

/** As fast as its settings make it on one core: no worker processes, no access log, no metrics, no compression. */
async function mlserver({ core, bundle, directory, pythons }: ContenderOptions, port: number): Promise<Pinned> {
  const folder = join(directory, 'mlserver');
  await mkdir(folder, { recursive: true });
  const settings = {
    debug: false,
    host: '127.0.0.1',
    http_port: port,
    grpc_port: await getPort(),
    metrics_endpoint: null,
    parallel_workers: 0,
    gzip_enabled: false,
  };
  const model = { name: MODEL, implementation: 'mlserver_runtime.BundleRuntime', parameters: { uri: bundle } };
  await writeFile(join(folder, 'settings.json'), JSON.stringify(settings));
  await writeFile(join(folder, 'model-settings.json'), JSON.stringify(model));
  return {
    name: TITLES.mlserver,
    core,
    command: pythons.mlserver,
    args: ['-c', 'from mlserver.cli import main; main()', 'start', folder],
    env: ONE_THREAD,
    cwd: folder,
    readyUrl: `http://127.0.0.1:${port}/v2/models/${MODEL}/ready`,
  };
}
