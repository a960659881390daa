import { SluiceError } from '../platform/errors.js';
import type { InstallContext } from './install/context.js';
import { ensureMongod } from './install/mongod.js';
import { ensureTrainerPython } from './install/python.js';
import { ensureTemporal } from './install/temporal.js';
import { ensureVersitygw } from './install/versitygw.js';
import { baseEnv } from './parts/base-env.js';
import { externalServer } from './parts/external.js';
import { mlflowPart } from './parts/mlflow.js';
import { mongoPart } from './parts/mongo.js';
import { ownProcessSpec } from './parts/own-process.js';
import type { PartContext, ServerPart } from './parts/part.js';
import { s3Part, type BucketEnv } from './parts/s3.js';
import { temporalPart } from './parts/temporal.js';
import { takeLock } from './state/lock.js';
import { createStateDir } from './state/paths.js';
import { assignPorts } from './state/ports.js';
import { clearRecord, endLeftovers, writeEnv } from './state/record.js';
import { ensurePrincipals, ensureSecrets, ensureSigningKey } from './state/secrets.js';
import { Roster } from './supervise/roster.js';
import { SERVERS, type OwnProcess, type Part, type Server, type Stack, type StackEnd, type StackLog } from './types.js';

export type { OwnProcess, Part, PartInfo, Stack, StackEnd, StackEvent, StackLog } from './types.js';

export interface StackOptions {
  stateDir: string;
  /** default: all servers */
  parts?: readonly Part[];
  /** the user's environment; a server that it names (TEMPORAL_ADDRESS, MONGODB_URI, S3_ENDPOINT, MLFLOW_TRACKING_URI) is used instead of the stack's own */
  env: NodeJS.ProcessEnv;
  log?: StackLog;
  /** ends the start: what was started is stopped, and startStack rejects */
  signal?: AbortSignal;
}

const PORT_NAMES: Record<Server, string[]> = {
  temporal: ['temporal', 'temporal-ui'],
  mongo: ['mongo'],
  s3: ['s3'],
  mlflow: ['mlflow'],
};

/**
 * Starts the servers asked for, each on a free port of 127.0.0.1, and returns when all of them serve. What they need is installed first.
 * Fails with Conflict when a stack runs in this state directory already, and with the name of the part and the end of its log when one does not start.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const log: StackLog = options.log ?? (() => {});
  const paths = createStateDir(options.stateDir);
  const lock = await takeLock(paths.lock);
  if ('heldBy' in lock)
    throw new SluiceError(
      'Conflict',
      `a stack with the state directory ${paths.root} runs already (process ${lock.heldBy.pid}); stop it with \`sluice down\`, or use another SLUICE_STATE_DIR`,
    );

  const roster = new Roster(paths, log);
  const aborted = new AbortController();
  const signal = options.signal === undefined ? aborted.signal : AbortSignal.any([options.signal, aborted.signal]);
  let end: (how: StackEnd) => void = () => {};
  const ended = new Promise<StackEnd>((resolve) => {
    end = resolve;
  });
  const hurry = new AbortController();
  let stopping: Promise<void> | undefined;
  const shutDown = (how: StackEnd): Promise<void> => {
    if (stopping !== undefined) hurry.abort();
    stopping ??= (async () => {
      aborted.abort(how.error ?? new SluiceError('StackFailed', 'the stack was stopped while it started'));
      await roster.stopAll(hurry.signal);
      clearRecord(paths);
      lock.release();
      end(how);
    })();
    return stopping;
  };
  roster.onFailed = (error) => void shutDown({ reason: 'failed', error });

  try {
    const left = await endLeftovers(paths);
    if (left.length > 0)
      log({ part: 'stack', phase: 'info', message: `ended what a killed stack had left running: ${left.join(', ')}` });
    roster.open();
    const secrets = ensureSecrets(paths);
    await ensureSigningKey(paths);
    ensurePrincipals(paths);
    const context: PartContext = { paths, base: baseEnv(options.env), ports: {} };
    const install: InstallContext = { env: options.env, log, signal, processes: roster };
    const env = await startServers({
      options,
      context,
      install,
      roster,
      signal,
      bucket: options.env['S3_BUCKET'] || 'sluice',
      secrets,
    });
    env['SLUICE_STATE_DIR'] = paths.root;
    env['SLUICE_SIGNING_KEY_FILE'] = paths.signingKey;
    env['SLUICE_TRUSTED_KEYS_FILE'] = paths.trustedKeys;
    env['SLUICE_PRINCIPALS_FILE'] = paths.principals;
    env['SLUICE_ADMIN_TOKEN'] = options.env['SLUICE_ADMIN_TOKEN'] || secrets.adminToken;
    writeEnv(paths, env);
    signal.throwIfAborted();
    return {
      env,
      ended,
      parts: () => roster.parts(),
      stop: () => shutDown({ reason: 'stopped' }),
      run: async (processes: OwnProcess[]) => {
        try {
          await roster.startGroup(processes.map((own) => ownProcessSpec(own, context)));
        } catch (error) {
          await shutDown({ reason: 'failed', error: error as Error });
          throw error;
        }
      },
    };
  } catch (error) {
    await shutDown({ reason: 'failed', error: error as Error });
    throw error;
  }
}

interface ServerStart {
  options: StackOptions;
  context: PartContext;
  install: InstallContext;
  roster: Roster;
  signal: AbortSignal;
  bucket: string;
  secrets: ReturnType<typeof ensureSecrets>;
}

/** Installs and starts the servers side by side; only MLflow waits for one of them, the S3 that it keeps its artifacts in. */
async function startServers({
  options,
  context,
  install,
  roster,
  signal,
  bucket,
  secrets,
}: ServerStart): Promise<Record<string, string>> {
  const asked = new Set<Part>(options.parts ?? [...SERVERS, 'python']);
  const external = Object.fromEntries(
    SERVERS.filter((server) => asked.has(server)).map((server) => [server, externalServer(server, options.env)]),
  );
  if (asked.has('mlflow') && external['mlflow'] === null) {
    asked.add('s3').add('python');
    external['s3'] ??= externalServer('s3', options.env);
  }
  const own = SERVERS.filter((server) => asked.has(server) && external[server] === null);
  context.ports = await assignPorts(
    context.paths.ports,
    own.flatMap((server) => PORT_NAMES[server]),
  );

  const env: Record<string, string> = {};
  const start = async (
    server: Server,
    installed: () => Promise<string>,
    build: (binary: string) => ServerPart,
  ): Promise<void> => {
    const user = external[server];
    if (user !== null && user !== undefined) {
      await user.check();
      roster.addExternal(server, user.address);
      Object.assign(env, user.provides);
      return;
    }
    const binary = await installed();
    signal.throwIfAborted();
    const { spec, provides } = build(binary);
    await roster.startGroup([spec]);
    Object.assign(env, provides);
  };

  const starts: Promise<void>[] = [];
  // MLflow's interpreter is the trainer's: installed once, while the other servers are installed and started
  const python = asked.has('python') ? ensureTrainerPython(install) : Promise.resolve('');
  if (asked.has('python')) starts.push(python.then((path) => void (env['SLUICE_PYTHON'] = path)));
  if (asked.has('temporal'))
    starts.push(
      start(
        'temporal',
        () => ensureTemporal(install),
        (binary) => temporalPart(context, binary),
      ),
    );
  if (asked.has('mongo'))
    starts.push(
      start(
        'mongo',
        () => ensureMongod(install),
        (binary) => mongoPart(context, binary),
      ),
    );
  const s3 = asked.has('s3')
    ? start(
        's3',
        () => ensureVersitygw(install),
        (binary) => s3Part(context, binary, secrets, bucket),
      )
    : Promise.resolve();
  starts.push(s3);
  if (asked.has('mlflow'))
    starts.push(
      s3.then(() =>
        start(
          'mlflow',
          () => python,
          (binary) => mlflowPart(context, binary, env as unknown as BucketEnv),
        ),
      ),
    );
  await Promise.all(starts);
  return env;
}
