import { overrideChanges, overrideProblems, withOverrides } from '../../domain/release/overrides.js';
import { SluiceError } from '../../platform/errors.js';
import type { Models } from '../../platform/models.js';
import { validate } from '../../platform/validate.js';
import type { ModelSpecActivities } from './contract.js';

export interface SpecDeps {
  models: Pick<Models, 'load'>;
  /** of the running code; empty when unknown */
  gitSha: string;
}

/** What a release needs to know of a model before it starts. */
export function createModelSpecActivities({ models, gitSha }: SpecDeps): ModelSpecActivities {
  return {
    async loadModelSpec({ model, overrides }) {
      const { spec, specSha256 } = await models.load(model);
      if (overrides === undefined) return { spec, gitSha, specSha256 };
      const checked = validate('release-overrides', overrides, 'overrides');
      const problems = overrideProblems(spec, checked);
      if (problems.length > 0) throw new SluiceError('InvalidInput', problems.join('; '));
      return { spec: withOverrides(spec, checked), gitSha, specSha256, changes: overrideChanges(spec, checked) };
    },
  };
}
