import { readFile } from 'node:fs/promises';
import { SluiceError } from '../../platform/errors.js';

/**
 * An approver's thresholds in a JSON file: `{"threshold": 0.5, "per_category": {"CATEGORY": 0.4}}`. The run checks the values.
 * @throws SluiceError InvalidInput
 */
export async function readEdits(path: string): Promise<Record<string, unknown>> {
  const refuse = (why: string): never => {
    throw new SluiceError('InvalidInput', `--edits ${path} ${why}`);
  };
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) =>
    refuse(`cannot be read (${error.code})`),
  );
  let edits: unknown;
  try {
    edits = JSON.parse(text);
  } catch (error) {
    return refuse(`is not JSON: ${(error as Error).message}`);
  }
  return typeof edits === 'object' && edits !== null && !Array.isArray(edits)
    ? (edits as Record<string, unknown>)
    : refuse('must hold an object like {"threshold": 0.5, "per_category": {"CATEGORY": 0.4}}');
}
