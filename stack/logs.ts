import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from '../platform/errors.js';
import { statePaths } from './state/paths.js';
import { tailLog } from './supervise/log-file.js';

/** The log of one part of the stack. */
export interface PartLog {
  part: string;
  file: string;
}

const SUFFIX = '.log';

/** What the stack's parts have written, running or not, by name. The part `stack` is a detached stack itself. */
export function partLogs(stateDir: string): PartLog[] {
  const { logs } = statePaths(stateDir);
  if (!existsSync(logs)) return [];
  return readdirSync(logs)
    .filter((name) => name.endsWith(SUFFIX))
    .sort()
    .map((name) => ({ part: name.slice(0, -SUFFIX.length), file: join(logs, name) }));
}

/**
 * The logs of one part, or of all.
 * @throws SluiceError InvalidInput that names the parts there are; NotFound where nothing has been logged
 */
export function chooseLogs(stateDir: string, part: string | undefined): PartLog[] {
  const all = partLogs(stateDir);
  if (all.length === 0) throw new SluiceError('NotFound', `there are no logs in ${statePaths(stateDir).logs}`);
  const chosen = part === undefined ? all : all.filter((log) => log.part === part);
  if (chosen.length === 0)
    throw new SluiceError(
      'InvalidInput',
      `there is no log of ${JSON.stringify(part)}; there are ${all.map((log) => log.part).join(', ')}`,
    );
  return chosen;
}

/** The last lines of a log. */
export function lastLines(file: string, lines: number): string[] {
  const text = tailLog(file, 0, lines, MOST_BYTES);
  return text === '' ? [] : text.split('\n');
}

const MOST_BYTES = 4 * 1024 * 1024;
const POLL_MS = 200;

/** Gives every line that is added to a log from now on, until the signal; a log that was set aside is followed in its successor. */
export async function followLog(file: string, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
  let offset = sizeOf(file);
  let decoder = new StringDecoder('utf8');
  let rest = '';
  while (!signal.aborted) {
    const size = sizeOf(file);
    if (size < offset) {
      offset = 0;
      decoder = new StringDecoder('utf8');
      rest = '';
    }
    if (size > offset) {
      const bytes = readBytes(file, offset, Math.min(size - offset, MOST_BYTES));
      offset += bytes.length;
      const lines = (rest + decoder.write(bytes)).split('\n');
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    }
    await delay(POLL_MS, undefined, { signal }).catch(() => {});
  }
}

function sizeOf(file: string): number {
  return existsSync(file) ? statSync(file).size : 0;
}

function readBytes(file: string, offset: number, length: number): Buffer {
  const fd = openSync(file, 'r');
  try {
    const buffer = Buffer.alloc(length);
    return buffer.subarray(0, readSync(fd, buffer, 0, length, offset));
  } finally {
    closeSync(fd);
  }
}
