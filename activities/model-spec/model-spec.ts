import { overrideChanges, overrideProblems, withOverrides } from '../../domain/release/overrides.js';
import { SluiceError } from '../../platform/errors.js';
import type { Models } from '../../platform/models.js';
import { validate } from '../../platform/validate.js';
import { keepDefinition } from '../../stores/model-definitions.js';
import type { ModelSpecActivities } from './contract.js';

export interface SpecDeps {
  models: Pick<Models, 'load'>;
  store: Parameters<typeof keepDefinition>[0];
  /** of the running code; empty when unknown */
  gitSha: string;
}

/** What a release needs to know of a model before it starts. */
export function createModelSpecActivities({ models, store, gitSha }: SpecDeps): ModelSpecActivities {
  return {
    async loadModelSpec({ model, overrides }) {
      const loaded = await models.load(model);
      const { spec, specSha256 } = loaded;
      if (overrides === undefined) return { spec, gitSha, specSha256 };
      const checked = validate('release-overrides', overrides, 'overrides');
      const problems = overrideProblems(spec, checked);
      if (problems.length > 0) throw new SluiceError('InvalidInput', problems.join('; '));
      return {
        spec: withOverrides(spec, checked),
        gitSha,
        specSha256,
        changes: overrideChanges(spec, checked),
        definition: await keepDefinition(store, model, loaded),
      };
    },
  };
}
