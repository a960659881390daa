import { resolve } from 'node:path';
import { execa } from 'execa';
import { SluiceError } from '../platform/errors.js';
import { modelFolders } from '../platform/model-folders.js';
import { projectPath, projectRoot } from '../platform/project.js';
import { fxProcess } from './parts/fx.js';
import type { OwnProcess } from './types.js';

/** Which of our own processes the stack runs. */
export interface OwnPlan {
  /** the one that the scorers serve */
  model: string;
  /** absolute path of the folder that holds one folder per model */
  modelsDir: string;
  /** also a scorer that follows `staging.json` */
  staging: boolean;
  reportsDir: string;
  gitSha: string;
  logLevel: string;
  /** the user's variables for Temporal's client: TLS, API key */
  temporal: Record<string, string>;
  /** the user's channels for alerts; they hold secrets, so only who tells people gets them */
  alerts: Record<string, string>;
  /** the user's settings of what is kept */
  keep: Record<string, string>;
  /** the user's settings of the scorer (limits, intervals); the stack decides where it listens and whom it serves */
  scorer: Record<string, string>;
  /** the user's source of exchange rates, and its key; without one, the stack's own offline copy of the ECB's serves */
  fx: Record<string, string>;
}

/** The plan that the user's environment asks for. */
export async function planOf(env: NodeJS.ProcessEnv, cwd: string): Promise<OwnPlan> {
  const modelsDir = env['SLUICE_MODELS_DIR'] ? resolve(cwd, env['SLUICE_MODELS_DIR']) : projectPath('models');
  return {
    model: env['SCORER_MODEL'] || onlyModel(modelsDir),
    modelsDir,
    staging: env['SLUICE_STAGING_SCORER'] === '1',
    reportsDir: resolve(cwd, env['SLUICE_REPORTS_DIR'] || 'reports'),
    gitSha: env['SLUICE_GIT_SHA'] || (await headCommit()),
    logLevel: env['LOG_LEVEL'] || 'info',
    temporal: matching(env, /^TEMPORAL_(API_KEY|TLS|GRPC_META)/),
    alerts: matching(env, /^(SLACK_WEBHOOK_URL|SMTP_URL|ALERT_MAIL_(FROM|TO))$/),
    keep: matching(env, /^SLUICE_KEEP_(VERSIONS|DAYS)$/),
    scorer: matching(env, /^SCORER_(?!HOST|PORT|ADVERTISED_URL|REPLICA_ID|ENVIRONMENT|MODEL)/),
    fx: env['FX_SOURCE'] ? matching(env, /^FX_(SOURCE|API_KEY)$/) : {},
  };
}

function matching(env: NodeJS.ProcessEnv, names: RegExp): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) if (names.test(name) && value !== undefined) found[name] = value;
  return found;
}

function onlyModel(modelsDir: string): string {
  const models = modelFolders(modelsDir);
  const [model] = models;
  if (model === undefined || models.length > 1) {
    throw new SluiceError(
      'InvalidInput',
      `set SCORER_MODEL to the model that the scorer serves: one of ${models.join(', ') || `none: there is no model in ${modelsDir}`}`,
    );
  }
  return model;
}

/** The checkout's commit, or nothing where it is not one (an unpacked archive). */
async function headCommit(): Promise<string> {
  const { stdout, exitCode } = await execa('git', ['rev-parse', 'HEAD'], { cwd: projectRoot, reject: false });
  return exitCode === 0 ? stdout : '';
}

/** The names under which our processes' ports are remembered. */
export function ownPortNames(plan: OwnPlan): string[] {
  return [
    ...WORKERS.map(workerName),
    ...scorers(plan).map(({ replica }) => replica),
    ...(replaysFx(plan) ? ['fx'] : []),
  ];
}

const WORKERS = ['release', 'training', 'data'] as const;
type WorkerKind = (typeof WORKERS)[number];

function workerName(kind: WorkerKind): string {
  return `${kind}-worker`;
}

function replaysFx({ fx }: OwnPlan): boolean {
  return fx['FX_SOURCE'] === undefined;
}

function scorers(plan: OwnPlan): { replica: string; environment: string }[] {
  return [
    { replica: 'scorer-0', environment: 'production' },
    ...(plan.staging ? [{ replica: 'scorer-staging-0', environment: 'staging' }] : []),
  ];
}

/** What clients need to know of our processes. */
export function ownProvides(plan: OwnPlan, ports: Record<string, number>): Record<string, string> {
  const url = (replica: string): string => `http://127.0.0.1:${ports[replica] ?? 0}`;
  return {
    SLUICE_REPORTS_DIR: plan.reportsDir,
    SLUICE_GIT_SHA: plan.gitSha,
    SLUICE_MODELS_DIR: plan.modelsDir,
    SCORER_MODEL: plan.model,
    SCORER_URL: url('scorer-0'),
    FX_SOURCE: plan.fx['FX_SOURCE'] ?? url('fx'),
    ...(plan.staging ? { SCORER_STAGING_URL: url('scorer-staging-0') } : {}),
  };
}

// What everyone needs to reach the servers; none of it signs, decides or administers.
const COMMON = [
  'TEMPORAL_ADDRESS', 'TEMPORAL_NAMESPACE', 'TEMPORAL_UI_URL',
  'MONGODB_URI', 'MONGODB_DATABASE',
  'S3_ENDPOINT', 'S3_REGION', 'S3_BUCKET', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY',
  'MLFLOW_TRACKING_URI',
  'SLUICE_STATE_DIR', 'SLUICE_REPORTS_DIR', 'SLUICE_GIT_SHA', 'SLUICE_TRUSTED_KEYS_FILE', 'SLUICE_MODELS_DIR',
]; // prettier-ignore

/**
 * How the data worker's process is kept small. It streams, so what it holds is little; left to itself, V8 lets garbage pile up to 400 MB on a
 * snapshot, and glibc keeps an arena per thread and, as soon as some were freed, blocks as large as MongoDB's replies (30 MB on five million rows): those
 * from 64 KB on, which is what a socket is read into, go back to the system when they are freed. Replies that have been read count as garbage of the old
 * space: so near to that space's limit V8 would let it grow by a third only and mark all of it after every 10 MB of rows, which was a third of a
 * snapshot's CPU time; it may double instead. They wait in the young space until it is swept, so it is kept small; sharing that millisecond out to threads
 * takes longer than doing it while MongoDB keeps every core busy. A worker that waits for its next night would throw its compiled code away. Without
 * source maps, which take 27 MB: its stack traces name lines of dist/.
 */
export const DATA_WORKER = {
  nodeOptions: [
    '--max-old-space-size=256',
    '--heap-growing-percent=100',
    '--max-semi-space-size=4',
    '--no-parallel-scavenge',
    '--no-flush-bytecode',
  ],
  env: { MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '65536' },
} as const;

/** The workers, each with the secrets that its activities use and no others: only who signs knows where the signing key is. */
export function workers(plan: OwnPlan, env: Record<string, string>, ports: Record<string, number>): OwnProcess[] {
  const worker = (
    kind: WorkerKind,
    extra: string[],
    users: Record<string, string> = {},
    nodeOptions: readonly string[] = ['--enable-source-maps'],
  ): OwnProcess => {
    const name = workerName(kind);
    const metricsAddress = `127.0.0.1:${ports[name] ?? 0}`;
    return {
      name,
      command: process.execPath,
      args: [...nodeOptions, projectPath('dist', 'workers', kind, 'main.js')],
      env: {
        ...pick(env, [...COMMON, ...extra]),
        ...plan.temporal,
        ...users,
        LOG_LEVEL: plan.logLevel,
        WORKER_METRICS_ADDRESS: metricsAddress,
      },
      ready: { line: /\bready\b/ },
      address: `http://${metricsAddress}/metrics`,
    };
  };
  return [
    worker('release', ['SLUICE_SIGNING_KEY_FILE', 'SLUICE_PRINCIPALS_FILE'], plan.alerts),
    worker('training', ['SLUICE_PYTHON']),
    // golden vectors are scored by the trainer's Python when a bundle is composed
    worker(
      'data',
      ['SLUICE_SIGNING_KEY_FILE', 'SLUICE_PYTHON', 'FX_SOURCE'],
      { ...plan.keep, ...plan.fx, ...DATA_WORKER.env },
      DATA_WORKER.nodeOptions,
    ),
  ];
}

/** What the workers call that is ours, too: the offline exchange rates, unless the user has a source of their own. */
export function helpers(plan: OwnPlan, env: Record<string, string>, ports: Record<string, number>): OwnProcess[] {
  return replaysFx(plan) ? [fxProcess(ports['fx'] ?? 0, env['SLUICE_STATE_DIR'] ?? '')] : [];
}

/** The scorers: they check signatures and never sign. */
export function scorerProcesses(
  plan: OwnPlan,
  env: Record<string, string>,
  ports: Record<string, number>,
): OwnProcess[] {
  return scorers(plan).map(({ replica, environment }) => {
    const port = String(ports[replica] ?? 0);
    const address = `http://127.0.0.1:${port}`;
    return {
      name: replica,
      command: process.execPath,
      args: ['--enable-source-maps', projectPath('dist', 'scoring', 'main.js')],
      env: {
        ...pick(env, [...COMMON, 'SLUICE_ADMIN_TOKEN']),
        ...plan.temporal,
        // The machine is shared with every other server of the stack.
        SCORER_PROCESSES: '1',
        ...plan.scorer,
        LOG_LEVEL: plan.logLevel,
        SCORER_HOST: '127.0.0.1',
        SCORER_PORT: port,
        SCORER_REPLICA_ID: replica,
        SCORER_ENVIRONMENT: environment,
        SCORER_MODEL: plan.model,
      },
      ready: { url: `${address}/v1/live` },
      address,
    };
  });
}

function pick(env: Record<string, string>, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => names.includes(name)));
}
