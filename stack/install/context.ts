import { homedir } from 'node:os';
import { join } from 'node:path';
import type { ProcessIdentity } from '../supervise/identity.mjs';
import type { StackLog } from '../types.js';

/** What the installers work with. */
export interface InstallContext {
  /** the user's environment: PATH, HOME, proxies, Go and pip settings */
  env: NodeJS.ProcessEnv;
  log: StackLog;
  signal?: AbortSignal;
  /** told of every installer's process, so that none outlives this one */
  processes?: InstallProcesses;
}

export interface InstallProcesses {
  started(name: string, identity: ProcessIdentity): void;
  ended(name: string, pid: number): void;
}

/** Where installed tools are kept, for all checkouts of this user: `$XDG_CACHE_HOME/sluice`, by default `~/.cache/sluice`. */
export function cacheRoot(env: NodeJS.ProcessEnv): string {
  const base = env['XDG_CACHE_HOME'];
  return join(base === undefined || base === '' ? join(env['HOME'] ?? homedir(), '.cache') : base, 'sluice');
}
