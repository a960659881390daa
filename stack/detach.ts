import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from '../platform/errors.js';
import { projectPath } from '../platform/project.js';
import { waitForOther, type UpOptions } from './main.js';
import { lockHolder } from './state/lock.js';
import { createStateDir } from './state/paths.js';
import { readRecord } from './state/record.js';
import { openLog, tailLog } from './supervise/log-file.js';
import type { StackEvent } from './types.js';

const POLL_MS = 100;
const INVALID_INPUT = 2;

/** What a stack in a process of its own tells of its start. */
export function reportToParent(event: StackEvent): void {
  if (process.connected) process.send?.(event, undefined, undefined, () => {});
}

/**
 * Starts the stack in the background, or finds the one that runs in this state directory; returns when it is ready. It is `sluice up` in a session of its own, so
 * that a terminal that closes does not reach it; what it prints is in the log `stack`. `sluice down` ends it as any other.
 * @throws SluiceError StackFailed or InvalidInput with the reason when it does not start: then nothing of it is left
 */
export async function upDetached(options: Omit<UpOptions, 'cwd'>): Promise<{ found: boolean }> {
  const { stateDir, env, log = () => {}, signal } = options;
  const paths = createStateDir(stateDir);
  for (;;) {
    signal?.throwIfAborted();
    const holder = lockHolder(paths.lock);
    if (holder !== null) {
      if ((await waitForOther(paths, holder, options)) !== null) return { found: true };
      continue;
    }
    const logFile = join(paths.logs, 'stack.log');
    const { child, offset } = spawnUp(paths.root, logFile, env, log);
    const exited = once(child, 'exit').catch(() => {});
    const stop = (): void => void child.kill('SIGTERM');
    signal?.addEventListener('abort', stop);
    try {
      while (isAlive(child)) {
        if (lockHolder(paths.lock)?.pid === child.pid && readRecord(paths)?.state === 'ready') {
          if (child.connected) child.disconnect();
          child.unref();
          return { found: false };
        }
        await Promise.race([exited, delay(POLL_MS)]);
      }
    } finally {
      signal?.removeEventListener('abort', stop);
    }
    signal?.throwIfAborted();
    // Another start was faster by a moment, so that ours found it and ended well.
    if (child.exitCode === 0) continue;
    throw new SluiceError(
      child.exitCode === INVALID_INPUT ? 'InvalidInput' : 'StackFailed',
      `${reasonIn(tailLog(logFile, offset, 40))}\nthe whole log: ${logFile}`,
    );
  }
}

function spawnUp(
  stateDir: string,
  logFile: string,
  env: NodeJS.ProcessEnv,
  log: (event: StackEvent) => void,
): { child: ChildProcess; offset: number } {
  const { fd, offset } = openLog(logFile);
  try {
    const child = spawn(process.execPath, [projectPath('bin', 'sluice.mjs'), '--state-dir', stateDir, 'up'], {
      env,
      stdio: ['ignore', fd, fd, 'ipc'],
      detached: true,
    });
    child.on('message', (event) => log(event as StackEvent));
    child.on('error', () => {}); // the exit that follows, or never having had a pid, says it
    return { child, offset };
  } finally {
    closeSync(fd);
  }
}

function isAlive({ pid, exitCode, signalCode }: ChildProcess): boolean {
  return pid !== undefined && exitCode === null && signalCode === null;
}

/** The error that ended the process: from its last `sluice:` on. */
function reasonIn(tail: string): string {
  const at = tail.lastIndexOf('sluice: ');
  return at === -1 ? tail || 'the stack ended without a word' : tail.slice(at + 'sluice: '.length);
}
