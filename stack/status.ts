import { lockHolder } from './state/lock.js';
import { statePaths } from './state/paths.js';
import { readEnv, readRecord } from './state/record.js';
import type { PartInfo } from './types.js';

/** How a stack stands, from its state directory. */
export interface StackStatus {
  running: boolean;
  /** `null` when none runs */
  state: 'starting' | 'ready' | 'stopping' | null;
  /** ISO 8601, or null */
  startedAt: string | null;
  /** the process that owns it */
  pid: number | null;
  parts: PartInfo[];
}

export function status({ stateDir }: { stateDir: string }): Promise<StackStatus> {
  const paths = statePaths(stateDir);
  const holder = lockHolder(paths.lock);
  const record = holder === null ? null : readRecord(paths);
  return Promise.resolve({
    running: holder !== null,
    state: holder === null ? null : (record?.state ?? 'starting'),
    startedAt: record?.startedAt ?? null,
    pid: holder?.pid ?? null,
    parts: record?.parts ?? [],
  });
}

/** The variables of the running stack, or null when none runs in this state directory. */
export function readStackEnv(stateDir: string): Record<string, string> | null {
  const paths = statePaths(stateDir);
  return lockHolder(paths.lock) === null ? null : readEnv(paths);
}
