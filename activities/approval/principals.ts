import { readFile } from 'node:fs/promises';
import { SluiceError } from '../../platform/errors.js';
import { validate } from '../../platform/validate.js';
import type { Principal } from '../../domain/approval/authorise.js';

/** Who may do what; a missing file means nobody may do anything. */
export async function readPrincipals(path: string): Promise<Principal[]> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new SluiceError(
      'InvalidInput',
      `${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? ''}); check SLUICE_PRINCIPALS_FILE and the file's permissions.`,
    );
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new SluiceError('InvalidInput', `${path} is not JSON: ${(error as Error).message}`);
  }
  const { principals } = validate('principals', document, path);
  const twice = principals.find(({ name }, i) => principals.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined)
    throw new SluiceError(
      'InvalidInput',
      `${path} names ${twice.name} twice; which of the two counts would be a guess.`,
    );
  return principals;
}
