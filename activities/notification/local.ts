import { mkdir, open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Logger } from 'pino';
import { toFileError } from '../../platform/files.js';
import type { Channel } from './channel.js';

/** `alerts.jsonl`: one line a notification, for `tail -f` and for whoever has no other channel yet. Written by one process: the release worker. */
export function fileChannel(path: string, now: () => Date): Channel {
  // One after another: two notifications with one key that arrive together must not both find it missing.
  let last: Promise<void> = Promise.resolve();
  const append = async (line: { key: string }): Promise<void> => {
    try {
      await mkdir(dirname(path), { recursive: true });
      const text = await readIfThere(path);
      if (keysIn(text).has(line.key)) return;
      // A crash may have cut the last line short; ours must not be glued to it.
      const separator = text === '' || text.endsWith('\n') ? '' : '\n';
      const file = await open(path, 'a', 0o600);
      try {
        await file.write(separator + JSON.stringify({ at: now().toISOString(), ...line }) + '\n');
        await file.datasync();
      } finally {
        await file.close();
      }
    } catch (error) {
      throw toFileError(error, path, 'SLUICE_STATE_DIR');
    }
  };
  return {
    name: 'file',
    deliver(notification) {
      const mine = last.then(() => append(notification));
      last = mine.catch(() => undefined);
      return mine;
    },
  };
}

/** The log says it again on a retry: a log line is cheap, a missed page is not. */
export function logChannel(log: Logger): Channel {
  const levels = { info: 'info', warning: 'warn', critical: 'error' } as const;
  return {
    name: 'log',
    async deliver({ severity, title, ...rest }) {
      log[levels[severity]](rest, title);
      return Promise.resolve();
    },
  };
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}

/** A line that is no JSON is skipped: its notification is written again. */
function keysIn(text: string): Set<string> {
  const keys = text.split('\n').flatMap((line) => {
    try {
      return [(JSON.parse(line) as { key: string }).key];
    } catch {
      return [];
    }
  });
  return new Set(keys);
}
