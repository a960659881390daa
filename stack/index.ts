import { SluiceError } from '../platform/errors.js';
import type { InstallContext } from './install/context.js';
import { baseEnv } from './parts/base-env.js';
import { ownProcessSpec } from './parts/own-process.js';
import type { PartContext } from './parts/part.js';
import { helpers, ownPortNames, ownProvides, scorerProcesses, workers, type OwnPlan } from './processes.js';
import { chooseServers, planServers, startServers } from './servers.js';
import { takeLock } from './state/lock.js';
import { createStateDir } from './state/paths.js';
import { assignPorts } from './state/ports.js';
import { clearRecord, endLeftovers, writeEnv } from './state/record.js';
import { ensurePrincipalsFile, ensureSecrets, ensureSigningKey } from './state/secrets.js';
import { ProcessSet } from './supervise/process-set.js';
import { SERVERS, type OwnProcess, type Part, type Stack, type StackEnd, type StackLog } from './types.js';

export type { OwnProcess, Part, PartInfo, Stack, StackEnd, StackEvent, StackLog } from './types.js';

export interface StackOptions {
  stateDir: string;
  /** default: all servers */
  parts?: readonly Part[];
  /** our own processes, started as soon as the servers they need serve; default: none */
  own?: OwnPlan;
  /** the user's environment; a server that it names (TEMPORAL_ADDRESS, MONGODB_URI, S3_ENDPOINT, MLFLOW_TRACKING_URI) is used instead of the stack's own */
  env: NodeJS.ProcessEnv;
  log?: StackLog;
  /** ends the start: what was started is stopped, and startStack rejects */
  signal?: AbortSignal;
}

const SECOND_REQUEST_AFTER_MS = 700;

/**
 * Starts the servers asked for, each on a free port of 127.0.0.1, and returns when all of them serve. What they need is installed first.
 * Fails with Conflict when a stack runs in this state directory already, and with the name of the part and the end of its log when one does not start.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const log: StackLog = options.log ?? (() => {});
  const paths = createStateDir(options.stateDir);
  const lock = await takeLock(paths.lock);
  if ('heldBy' in lock) {
    throw new SluiceError(
      'Conflict',
      `a stack with the state directory ${paths.root} runs already (process ${lock.heldBy.pid}); stop it with \`sluice down\`, or use another SLUICE_STATE_DIR`,
    );
  }

  const processSet = new ProcessSet(paths, log);
  const gaveUp = new AbortController();
  const signal = options.signal === undefined ? gaveUp.signal : AbortSignal.any([options.signal, gaveUp.signal]);
  const hurry = new AbortController();
  let end: (how: StackEnd) => void = () => {};
  const ended = new Promise<StackEnd>((resolve) => {
    end = resolve;
  });
  let stopping: Promise<void> | undefined;
  let askedAtMs = Infinity;
  const shutDown = (how: StackEnd): Promise<void> => {
    // one Ctrl-C may arrive twice: from the terminal, and forwarded by npm
    if (Date.now() - askedAtMs > SECOND_REQUEST_AFTER_MS) hurry.abort();
    askedAtMs = Math.min(askedAtMs, Date.now());
    stopping ??= (async () => {
      gaveUp.abort(how.error ?? new SluiceError('StackFailed', 'the stack was stopped while it started'));
      await processSet.stopAll(hurry.signal);
      clearRecord(paths);
      lock.release();
      end(how);
    })();
    return stopping;
  };
  processSet.onFailed = (error) => void shutDown({ reason: 'failed', error });

  try {
    const left = await endLeftovers(paths);
    if (left.length > 0) {
      log({ part: 'stack', phase: 'info', message: `ended what a killed stack had left running: ${left.join(', ')}` });
    }
    processSet.open();
    const secrets = ensureSecrets(paths);
    await ensureSigningKey(paths);
    ensurePrincipalsFile(paths.principals);

    const chosen = chooseServers(options.parts ?? [...SERVERS, 'python'], options.env);
    const { own } = options;
    const ports = await assignPorts(
      paths.ports,
      [...chosen.portNames, ...(own === undefined ? [] : ownPortNames(own))],
      (part, from, to) =>
        log({ part, phase: 'info', message: `port ${from} is taken: ${part} moves to port ${to}, for good` }),
    );
    const context: PartContext = { paths, ports, base: baseEnv(options.env) };
    const plan = planServers(chosen, context, secrets, options.env['S3_BUCKET'] || 'sluice');
    const env: Record<string, string> = {
      ...plan.provides,
      SLUICE_STATE_DIR: paths.root,
      SLUICE_SIGNING_KEY_FILE: paths.signingKey,
      SLUICE_TRUSTED_KEYS_FILE: paths.trustedKeys,
      SLUICE_PRINCIPALS_FILE: paths.principals,
      SLUICE_ADMIN_TOKEN: options.env['SLUICE_ADMIN_TOKEN'] || secrets.adminToken,
      ...(own === undefined ? {} : ownProvides(own, ports)),
    };
    const run = (processes: OwnProcess[], tier: 'servers' | 'workers' | 'scorers'): Promise<void> =>
      processSet.start(
        processes.map((one) => ownProcessSpec(one, context)),
        tier,
      );

    const install: InstallContext = { env: options.env, log, signal, processes: processSet };
    const servers = startServers(plan, install, processSet);
    const ours = Promise.all([servers.core, servers.python]).then(async ([, python]) => {
      if (python !== '') env['SLUICE_PYTHON'] = python;
      writeEnv(paths, env);
      if (own === undefined) return;
      // MLflow takes the longest to start and no worker needs it to start itself
      await Promise.all([
        run(helpers(own, env, ports), 'servers'),
        run(workers(own, env, ports), 'workers'),
        run(scorerProcesses(own, env, ports), 'scorers'),
      ]);
    });
    await Promise.all([servers.all, ours]);
    signal.throwIfAborted();
    processSet.markReady();
    return { env, ended, parts: () => processSet.parts(), stop: () => shutDown({ reason: 'stopped' }) };
  } catch (error) {
    await shutDown({ reason: 'failed', error: error as Error });
    // a part that failed or a stop from outside is the reason; what it interrupted only follows from it
    throw signal.aborted && signal.reason instanceof Error ? signal.reason : error;
  }
}
