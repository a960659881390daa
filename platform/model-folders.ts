import { readdirSync } from 'node:fs';

/** A model's name, as it stands in ids, keys and file names. */
export const MODEL_NAME = /^[a-z][a-z0-9_]{1,62}$/;

/** The models that exist, by the names of their folders; none where the folder cannot be read. Reads no model. */
export function modelFolders(modelsDir: string): string[] {
  try {
    return readdirSync(modelsDir, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && MODEL_NAME.test(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch {
    return [];
  }
}
