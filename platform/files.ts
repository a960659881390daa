import { SluiceError } from './errors.js';

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
