import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { ReadLimit } from '../domain/bundle/limits.js';
import { SluiceError } from './errors.js';

/**
 * A whole regular file, in memory, unless it is longer than the limit or than the manifest says. Links are followed.
 * @throws SluiceError TooLarge, IntegrityError
 */
export async function readLimited(path: string, { maxBytes, exactBytes }: ReadLimit): Promise<Buffer> {
  // A pipe without a writer would otherwise hold up the thread that opens it.
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stats = await file.stat();
    // A device has no size, and no end.
    if (!stats.isFile()) throw new SluiceError('IntegrityError', `${path} is not a regular file`);
    const { size } = stats;
    if (size > maxBytes)
      throw new SluiceError(
        'TooLarge',
        `${path} has ${size} bytes; at most ${maxBytes} are read of a file of its kind`,
      );
    if (exactBytes !== undefined && size !== exactBytes)
      throw new SluiceError('IntegrityError', `${path} has ${size} bytes, the manifest says ${exactBytes}`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

/**
 * What went wrong with a file of the user's, as an error that says what to do; anything unknown passes through.
 * @param setting the variable that decides where the file is
 */
export function toFileError(error: unknown, path: string, setting: string): unknown {
  const { code } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new SluiceError(
        'DiskFull',
        `No space is left to write ${path}. Free some, or set ${setting} to another place.`,
      );
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new SluiceError(
        'InvalidInput',
        `${path} may not be written (${code}). Change its permissions, or set ${setting} to another place.`,
      );
    case 'ENOTDIR':
    case 'EISDIR':
      return new SluiceError(
        'InvalidInput',
        `${path} cannot be written: a file is where a folder should be, or the other way round (${code}). Check ${setting}.`,
      );
    default:
      return error;
  }
}
