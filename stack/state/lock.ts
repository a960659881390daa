import { randomBytes } from 'node:crypto';
import { linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from '../../platform/errors.js';
import { identify, isRunning, type ProcessIdentity } from '../supervise/identity.mjs';

export type LockResult = { release: () => void } | { heldBy: ProcessIdentity };

function holderOf(path: string): ProcessIdentity | null {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as ProcessIdentity;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM')
      throw new SluiceError('InvalidInput', `${path} cannot be read (${code}): the state directory is another user's`);
    return null;
  }
}

/** Creates the file with its whole content, or says that it is there already: a link either appears complete or not at all. */
function create(path: string, content: string): boolean {
  const draft = `${path}.${process.pid}-${randomBytes(4).toString('hex')}`;
  writeFileSync(draft, content, { mode: 0o600 });
  try {
    linkSync(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

/** The process that holds the lock and still runs; null when it is free or its holder is gone. */
export function lockHolder(path: string): ProcessIdentity | null {
  const holder = holderOf(path);
  return holder !== null && isRunning(holder) ? holder : null;
}

/**
 * Takes a lock that names its holder by pid and start time, so that one left by a killed process is nobody's.
 * Replacing such a leftover is itself guarded by a second lock: of two that find it, one replaces it.
 */
export async function takeLock(path: string): Promise<LockResult> {
  const own = identify(process.pid);
  if (own === null) throw new Error('this process cannot see itself in the process list');
  const content = JSON.stringify(own);
  for (;;) {
    if (create(path, content)) return { release: () => release(path, own) };
    const holder = lockHolder(path);
    if (holder !== null) return { heldBy: holder };
    const takeover = `${path}.takeover`;
    if (create(takeover, content)) {
      if (lockHolder(path) === null) rmSync(path, { force: true });
      rmSync(takeover, { force: true });
    } else {
      if (lockHolder(takeover) === null) rmSync(takeover, { force: true });
      await delay(20);
    }
  }
}

/** Takes a lock, waiting for whoever holds it. */
export async function waitForLock(
  path: string,
  onWait: (holder: ProcessIdentity) => void,
  signal?: AbortSignal,
): Promise<() => void> {
  let reported = false;
  for (;;) {
    signal?.throwIfAborted();
    const result = await takeLock(path);
    if ('release' in result) return result.release;
    if (!reported) onWait(result.heldBy);
    reported = true;
    await delay(200, undefined, signal === undefined ? {} : { signal });
  }
}

function release(path: string, own: ProcessIdentity): void {
  const holder = holderOf(path);
  if (holder?.pid === own.pid && holder.startedAt === own.startedAt) rmSync(path, { force: true });
}
