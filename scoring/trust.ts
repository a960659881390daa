import { bundleExpectation } from '../domain/bundle/layout.js';
import { loadTrustedKeys } from '../platform/keys.js';
import { loadModel } from '../platform/models.js';
import { projectPath } from '../platform/project.js';
import type { ModelSpec } from '../schemas/types.js';
import type { Trust } from './control/bundle-source.js';
import type { ScorerSettings } from './settings.js';

/**
 * The model's spec, and whom a scorer believes.
 * @throws SluiceError for keys or a spec that cannot be used
 */
export async function readScorerFiles(settings: ScorerSettings): Promise<{ spec: ModelSpec; trust: Trust }> {
  const { SCORER_ENVIRONMENT: environment, SCORER_MODEL: model } = settings;
  const { spec } = await loadModel(settings.SLUICE_MODELS_DIR || projectPath('models'), model);
  const trustedKeys = await loadTrustedKeys(settings.SLUICE_TRUSTED_KEYS_FILE);
  return { spec, trust: { model, environment, trustedKeys, expected: bundleExpectation(spec) } };
}
