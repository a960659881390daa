import { SluiceError } from '../platform/errors.js';

const SHOWN = 12;
const MAX_NAME = 40;

/**
 * Refuses a header that lacks columns, or has one twice.
 * @throws SluiceError InvalidInput that names the file and them
 */
export function requireColumns(file: string, header: readonly string[], required: Iterable<string>): void {
  const missing = [...required].filter((name) => !header.includes(name));
  if (missing.length > 0)
    throw new SluiceError(
      'InvalidInput',
      `${file} lacks the column${missing.length > 1 ? 's' : ''} ${missing.join(', ')}; it has ${namesShown(header)}. Nothing was changed.`,
    );
  const twice = header.find((name, index) => header.indexOf(name) !== index);
  if (twice !== undefined)
    throw new SluiceError('InvalidInput', `${file} has the column ${shortened(twice)} twice. Nothing was changed.`);
}

/** Names of columns, as many and as long as a person reads: a file may hold anything. */
export function namesShown(names: readonly string[]): string {
  const shown = names.slice(0, SHOWN).map(shortened).join(', ');
  return names.length > SHOWN ? `${shown} … and ${names.length - SHOWN} more` : shown;
}

function shortened(name: string): string {
  return name.length > MAX_NAME ? `${name.slice(0, MAX_NAME)}…` : name;
}
