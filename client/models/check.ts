import { SluiceError } from '../../platform/errors.js';
import { loadModel, modelNames } from '../../platform/models.js';
import type { Violation } from '../../platform/validate.js';

/** What a model's folder is, or what is wrong with it. */
export type ModelCheck = { model: string } & (
  | { valid: true; registeredName: string; specSha256: string; features: number; gates: number; policy: string }
  | {
      valid: false;
      /** one sentence with the file and every offending path */
      message: string;
      /** paths within the file or between files; empty where a file cannot be read at all */
      violations: Violation[];
    }
);

/**
 * Checks folders as a release does before it begins: the spec, the files that it names, whether they fit each other, and the name in MLflow.
 * @param names none: every folder there is
 * @throws SluiceError UnknownModel for a name that no folder has, or where there are no folders at all
 */
export async function checkModels(modelsDirectory: string, names: readonly string[]): Promise<ModelCheck[]> {
  const chosen = names.length > 0 ? names : await modelNames(modelsDirectory);
  if (chosen.length === 0) throw new SluiceError('UnknownModel', `there is no model in ${modelsDirectory}`);
  return Promise.all(chosen.map((model) => checkOne(modelsDirectory, model)));
}

async function checkOne(modelsDirectory: string, model: string): Promise<ModelCheck> {
  try {
    const { spec, specSha256, registry } = await loadModel(modelsDirectory, model);
    return {
      model,
      valid: true,
      registeredName: spec.registered_name,
      specSha256,
      features: registry.features.length,
      gates: spec.gates.length,
      policy: spec.promotion.policy,
    };
  } catch (error) {
    if (!(error instanceof SluiceError) || error.type !== 'InvalidSpec') throw error;
    const violations = (error.details as { violations?: Violation[] } | undefined)?.violations ?? [];
    return { model, valid: false, message: error.message, violations };
  }
}

/** A model in a line; of an invalid one every offence in a line of its own. */
export function modelText(check: ModelCheck): string {
  if (check.valid)
    return `✔ ${check.model}: valid; ${check.features} features, ${check.gates} gates, policy ${check.policy}, in MLflow ${check.registeredName}`;
  const { model, message, violations } = check;
  if (violations.length === 0) return `✖ ${model}: ${message}`;
  // The message names the first ten of them.
  const [where] = message.split(' is not valid: ');
  return [
    `✖ ${model}: ${where} is not valid`,
    ...violations.map(({ path, message: what }) => `  ${path === '' ? '(document)' : path} ${what}`),
  ].join('\n');
}
