import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseDocument } from 'yaml';
import type { ModelSpec } from '../schemas/types.js';
import { SluiceError } from './errors.js';
import { projectPath } from './project.js';
import { violations } from './validate.js';

/** A model's name becomes part of paths and keys: nothing but this. */
const MODEL_NAME = /^[a-z0-9][a-z0-9_-]*$/;

/**
 * Reads and checks `models/{model}/model.yaml`.
 * @param modelsDir where the models' folders are; the checkout's own by default
 * @throws SluiceError UnknownModel, or InvalidSpec that names every offending key
 */
export async function loadModelSpec(
  model: string,
  modelsDir: string = projectPath('models'),
): Promise<{ spec: ModelSpec; bytes: Buffer }> {
  const path = join(modelsDir, model, 'model.yaml');
  if (!MODEL_NAME.test(model))
    throw new SluiceError(
      'UnknownModel',
      `${JSON.stringify(model)} is not a model's name: lower-case letters, digits, _ and - only.`,
    );
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new SluiceError('UnknownModel', `There is no model ${JSON.stringify(model)}: ${path} does not exist.`);
  }
  const yaml = parseDocument(bytes.toString('utf8'));
  if (yaml.errors.length > 0)
    throw new SluiceError(
      'InvalidSpec',
      `${path} is not YAML: ${yaml.errors.map(({ message }) => message).join('; ')}`,
    );
  const spec: unknown = yaml.toJS();
  const found = violations('model-spec', spec);
  if (found.length > 0) {
    const lines = found.map(
      (violation) => `${violation.path === '' ? '(document)' : violation.path} ${violation.message}`,
    );
    throw new SluiceError('InvalidSpec', `${path} is not valid: ${lines.join('; ')}`, { violations: found });
  }
  if ((spec as ModelSpec).model !== model)
    throw new SluiceError('InvalidSpec', `${path}: /model is ${(spec as ModelSpec).model}, its folder is ${model}`);
  return { spec: spec as ModelSpec, bytes };
}
