import { loadModel } from '../../platform/models.js';
import type { ModelSpecActivities } from './contract.js';

export interface SpecDeps {
  /** absolute path of `models/` */
  modelsDir: string;
  /** of the running code; empty when unknown */
  gitSha: string;
}

/** What a release needs to know of a model before it starts. */
export function createModelSpecActivities({ modelsDir, gitSha }: SpecDeps): ModelSpecActivities {
  return {
    async loadModelSpec({ model }) {
      const { spec, specSha256 } = await loadModel(modelsDir, model);
      return { spec, gitSha, specSha256 };
    },
  };
}
