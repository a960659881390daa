import { readFileSync, rmSync } from 'node:fs';
import writeFileAtomic from 'write-file-atomic';
import { endProcesses, isRunning, type ProcessIdentity } from '../supervise/identity.mjs';
import type { PartInfo } from '../types.js';
import type { StatePaths } from './paths.js';

/** The running stack as its state directory knows it, written at every change. */
export interface StackRecord {
  state: 'starting' | 'ready' | 'stopping';
  /** ISO 8601 */
  startedAt: string;
  parent: ProcessIdentity;
  processes: (ProcessIdentity & { name: string })[];
  parts: PartInfo[];
}

/** The record, or null when there is none that can be read. */
export function readRecord(paths: StatePaths): StackRecord | null {
  try {
    return JSON.parse(readFileSync(paths.record, 'utf8')) as StackRecord;
  } catch {
    return null;
  }
}

/** The variables of the stack, or null when there are none that can be read. */
export function readEnv(paths: StatePaths): Record<string, string> | null {
  try {
    return JSON.parse(readFileSync(paths.env, 'utf8')) as Record<string, string>;
  } catch {
    return null;
  }
}

export function writeRecord(paths: StatePaths, record: StackRecord): void {
  writeFileAtomic.sync(paths.record, JSON.stringify(record, null, 2) + '\n', { mode: 0o600, fsync: false });
}

export function writeEnv(paths: StatePaths, env: Record<string, string>): void {
  writeFileAtomic.sync(paths.env, JSON.stringify(env, null, 2) + '\n', { mode: 0o600, fsync: false });
}

/** The stack is no more: only what survives a restart stays. */
export function clearRecord(paths: StatePaths): void {
  for (const file of [paths.record, paths.env]) rmSync(file, { force: true });
}

/** Ends what an earlier stack left running when its parent and its watchdog were both killed. Returns the names of what was found. */
export async function endLeftovers(paths: StatePaths): Promise<string[]> {
  const left = (readRecord(paths)?.processes ?? []).filter(isRunning);
  await endProcesses(left.reverse(), 10_000);
  return left.map(({ name }) => name);
}
