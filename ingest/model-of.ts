import { SluiceError } from '../platform/errors.js';
import { loadModel, modelNames, type LoadedModel } from '../platform/models.js';
import { projectPath } from '../platform/project.js';

/** The named model, or the only one there is. */
export async function modelOf(modelsDir: string = projectPath('models'), model?: string): Promise<LoadedModel> {
  if (model !== undefined) return loadModel(modelsDir, model);
  const names = await modelNames(modelsDir);
  const [only] = names;
  if (only === undefined || names.length > 1)
    throw new SluiceError(
      'InvalidInput',
      `say for which model: ${names.join(', ') || `there is none in ${modelsDir}`}`,
    );
  return loadModel(modelsDir, only);
}
