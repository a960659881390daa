import { existsSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from '../platform/errors.js';
import { startStack, type StackLog } from './index.js';
import { planOf } from './processes.js';
import { lockHolder } from './state/lock.js';
import { isStateDir, statePaths, type StatePaths } from './state/paths.js';
import { endLeftovers, readEnv, readRecord } from './state/record.js';
import { isRunning, type ProcessIdentity } from './supervise/identity.mjs';
import type { PartInfo, StackEnd } from './types.js';

export interface UpOptions {
  stateDir: string;
  /** the user's environment, `.env` included */
  env: NodeJS.ProcessEnv;
  log?: StackLog;
  /** ends the start */
  signal?: AbortSignal;
  /** relative paths of the user's are below it; default: the working directory */
  cwd?: string;
}

/** A stack that runs: started here, or found. */
export interface UpStack {
  env: Record<string, string>;
  /** it was running already: it is used, and `stop` leaves it alone */
  found: boolean;
  parts(): PartInfo[];
  stop(): Promise<void>;
  ended: Promise<StackEnd>;
}

/** Starts the whole stack, workers and scorer included, or finds the one that runs in this state directory; returns when it is ready. */
export async function up(options: UpOptions): Promise<UpStack> {
  const paths = statePaths(options.stateDir);
  for (;;) {
    const holder = lockHolder(paths.lock);
    if (holder !== null) {
      const found = await waitForOther(paths, holder, options);
      if (found !== null) return found;
      continue;
    }
    try {
      const { stateDir, env, log, signal } = options;
      const own = await planOf(env, options.cwd ?? process.cwd());
      const stack = await startStack({
        stateDir,
        env,
        own,
        ...(log === undefined ? {} : { log }),
        ...(signal === undefined ? {} : { signal }),
      });
      return { env: stack.env, found: false, parts: () => stack.parts(), stop: () => stack.stop(), ended: stack.ended };
    } catch (error) {
      // another start was faster by a moment: use what it starts
      if (!(error instanceof SluiceError) || error.type !== 'Conflict') throw error;
    }
  }
}

/** The other process's stack once it is ready; null when it ended meanwhile. */
export async function waitForOther(
  paths: StatePaths,
  holder: ProcessIdentity,
  options: Pick<UpOptions, 'log' | 'signal'>,
): Promise<UpStack | null> {
  options.log?.({
    part: 'stack',
    phase: 'info',
    message: `a stack is already running (process ${holder.pid}); using it`,
  });
  for (let reported = false; isRunning(holder);) {
    const record = readRecord(paths);
    const env = readEnv(paths);
    if (record?.state === 'ready' && env !== null) return foundStack(paths, holder, env);
    if (!reported)
      options.log?.({ part: 'stack', phase: 'info', message: `it is ${record?.state ?? 'starting'}; waiting` });
    reported = true;
    await delay(200, undefined, options.signal === undefined ? {} : { signal: options.signal });
  }
  return null;
}

function foundStack(paths: StatePaths, holder: ProcessIdentity, env: Record<string, string>): UpStack {
  return {
    env,
    found: true,
    parts: () => readRecord(paths)?.parts ?? [],
    stop: async () => {},
    ended: (async () => {
      while (isRunning(holder)) await delay(1_000, undefined, { ref: false });
      return { reason: 'stopped' as const };
    })(),
  };
}

const STOP_TIMEOUT_MS = 90_000;

/** Stops the stack that runs in this state directory; with `purge`, removes the directory too. */
export async function down({
  stateDir,
  purge = false,
}: {
  stateDir: string;
  purge?: boolean;
}): Promise<{ stopped: boolean; purged: boolean }> {
  const paths = statePaths(stateDir);
  if (purge && !isStateDir(paths) && existsSync(paths.root)) {
    throw new SluiceError(
      'InvalidInput',
      `${paths.root} is not a Sluice state directory (it has no ${paths.marker}); nothing was removed`,
    );
  }
  const holder = lockHolder(paths.lock);
  if (holder !== null) await endOwner(holder);
  // the owner's watchdog may still be at it, or may have been killed too
  const left = await endLeftovers(paths);
  const purged = purge && isStateDir(paths);
  if (purged) rmSync(paths.root, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  return { stopped: holder !== null || left.length > 0, purged };
}

async function endOwner(holder: ProcessIdentity): Promise<void> {
  if (holder.pid === process.pid)
    throw new SluiceError('Conflict', 'the stack runs in this very process; stop it there');
  process.kill(holder.pid, 'SIGTERM');
  const deadline = Date.now() + STOP_TIMEOUT_MS;
  while (isRunning(holder)) {
    if (Date.now() > deadline) process.kill(holder.pid, 'SIGKILL');
    await delay(100);
  }
}
