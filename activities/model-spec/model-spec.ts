import type { Models } from '../../platform/models.js';
import type { ModelSpecActivities } from './contract.js';

export interface SpecDeps {
  models: Pick<Models, 'load'>;
  /** of the running code; empty when unknown */
  gitSha: string;
}

/** What a release needs to know of a model before it starts. */
export function createModelSpecActivities({ models, gitSha }: SpecDeps): ModelSpecActivities {
  return {
    async loadModelSpec({ model }) {
      const { spec, specSha256 } = await models.load(model);
      return { spec, gitSha, specSha256 };
    },
  };
}
