import { closeSync, existsSync, fstatSync, mkdirSync, openSync, readSync, renameSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const MAX_BYTES = 20 * 1024 * 1024;

/** Opens a process's log for appending; one that has grown too large is set aside as `.1` first. */
export function openLog(path: string): { fd: number; offset: number } {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (existsSync(path) && statSync(path).size > MAX_BYTES) renameSync(path, `${path}.1`);
  const fd = openSync(path, 'a', 0o600);
  return { fd, offset: fstatSync(fd).size };
}

/** What was written to the log from `offset` (bytes) on, at most the last `maxBytes` of it. */
export function readLog(path: string, offset = 0, maxBytes = 256 * 1024): string {
  if (!existsSync(path)) return '';
  const fd = openSync(path, 'r');
  try {
    const size = fstatSync(fd).size;
    const from = Math.max(offset, size - maxBytes, 0);
    const buffer = Buffer.alloc(Math.max(size - from, 0));
    const read = readSync(fd, buffer, 0, buffer.length, from);
    return buffer.toString('utf8', 0, read);
  } finally {
    closeSync(fd);
  }
}

/** The last lines of a log, of at most `maxBytes`; as many as an error message has by default. */
export function tailLog(path: string, offset = 0, lines = 12, maxBytes = 16 * 1024): string {
  return readLog(path, offset, maxBytes).trimEnd().split('\n').slice(-lines).join('\n');
}
