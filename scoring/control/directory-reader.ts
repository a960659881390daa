import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { ReadFile } from '../../domain/bundle/load.js';
import { SluiceError } from '../../platform/errors.js';
import { readLimited } from '../../platform/files.js';

/** A mount that says nothing for so long hangs. */
const DEADLINE_MS = 4_000;

/**
 * Reads the files of a directory that others change, and that may lie on a network.
 * @param readFile the default reads; tests bring others
 * @returns a reader of what the directory is now: a link is followed once, so that all files come from one place
 * @throws SluiceError Unreachable, also from each reading, when the mount fails or hangs; IntegrityError for what is missing
 */
export function createDirectoryReader(
  directory: string,
  deadlineMs = DEADLINE_MS,
  readFile = readLimited,
): () => Promise<ReadFile> {
  /** Each keeps one of the process's few threads for files until the mount comes back. */
  let hanging = 0;
  const hangs = (): SluiceError =>
    new SluiceError('Unreachable', `the file system of ${directory} says nothing for ${deadlineMs} ms`);

  const inTime = async <T>(what: string, read: () => Promise<T>): Promise<T> => {
    if (hanging > 0) throw hangs();
    const reading = read();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<null>((resolve) => (timer = setTimeout(() => resolve(null), deadlineMs)));
    try {
      const first = await Promise.race([reading.then((value) => ({ value })), late]);
      if (first !== null) return first.value;
    } catch (error) {
      throw explained(error, what);
    } finally {
      clearTimeout(timer);
    }
    hanging += 1;
    reading.catch(() => undefined).finally(() => (hanging -= 1));
    throw hangs();
  };

  return async () => {
    const root = await inTime(directory, () => realpath(directory));
    return (name, limit) => inTime(join(directory, name), () => readFile(join(root, name), limit));
  };
}

function explained(error: unknown, what: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (error instanceof SluiceError || code === undefined) return error;
  if (code === 'ENOENT') return new SluiceError('IntegrityError', `${what} is missing`);
  return new SluiceError('Unreachable', `${what} cannot be read (${code})`);
}
