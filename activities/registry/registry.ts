import type { ModelSpec } from '../../schemas/types.js';
import type { ModelRef } from '../../domain/release/types.js';
import { HEADLINE_METRICS } from '../../domain/release/headlines.js';
import { SluiceError } from '../../platform/errors.js';
import type { MlflowClient, ModelVersion } from '../../platform/mlflow.js';
import type { RegistryActivities } from './contract.js';

export interface MlflowDeps {
  mlflow: MlflowClient;
  models: {
    load: (model: string, definition?: string) => Promise<{ spec: Pick<ModelSpec, 'registered_name' | 'description'> }>;
  };
}

export function createRegistryActivities({ mlflow, models }: MlflowDeps): RegistryActivities {
  const nameOf = async ({ model, definition }: ModelRef): Promise<string> =>
    (await models.load(model, definition)).spec.registered_name;

  /**
   * The one version of a run. MLflow knows no "create if absent": two attempts that overlap may both create, so whoever finds more than
   * one keeps the lowest, and every attempt agrees on which that is.
   */
  const theOneVersion = async (name: string, runId: string): Promise<ModelVersion | null> => {
    const [first, ...rest] = await mlflow.modelVersions(name, { runId });
    for (const extra of rest) await mlflow.deleteModelVersion(name, extra.version);
    return first ?? null;
  };

  return {
    async register({ model, definition, runId, releaseId, dataSnapshotId, gitSha, metrics }) {
      const { registered_name: name, description } = (await models.load(model, definition)).spec;
      await mlflow.ensureRegisteredModel(name, description);
      let version = await theOneVersion(name, runId);
      if (version === null) {
        const run = await mlflow.getRun(runId);
        // The run that the version names has all of them; a person reads these.
        const figures = HEADLINE_METRICS.filter((metric) => Object.hasOwn(metrics, metric)).map((metric) => {
          const value = metrics[metric] ?? null;
          return `${metric} ${value === null ? 'not measured' : Number(value.toPrecision(4))}`;
        });
        await mlflow.createModelVersion({
          name,
          run,
          description: `Release ${releaseId}. ${figures.join(', ')}`,
          tags: { 'sluice.release': releaseId, 'sluice.data_snapshot_id': dataSnapshotId, 'sluice.git_sha': gitSha },
        });
        version = await theOneVersion(name, runId);
      }
      if (version === null)
        throw new SluiceError(
          'Unreachable',
          `MLflow at ${mlflow.address} created a version of ${name} for run ${runId} and does not list it yet.`,
        );
      // The stage comes last and marks the whole as done, so that an attempt given up for dead cannot pull a promoted version back.
      if (version.stage === 'None') {
        await mlflow.setAlias(name, 'challenger', version.version);
        await mlflow.transitionStage(name, version.version, 'Staging');
      }
      return { modelVersion: version.version };
    },

    async setStage({ modelVersion, stage, ...of }) {
      await mlflow.transitionStage(await nameOf(of), modelVersion, stage);
    },

    async setAlias({ alias, modelVersion, ...of }) {
      const name = await nameOf(of);
      await (modelVersion === null ? mlflow.deleteAlias(name, alias) : mlflow.setAlias(name, alias, modelVersion));
    },

    async tagModelVersion({ modelVersion, tags, ...of }) {
      const name = await nameOf(of);
      for (const [key, value] of Object.entries(tags)) await mlflow.setModelVersionTag(name, modelVersion, key, value);
    },

    async registryState(of) {
      const name = await nameOf(of);
      const [champion, challenger, versions] = await Promise.all([
        mlflow.getAlias(name, 'champion'),
        mlflow.getAlias(name, 'challenger'),
        mlflow.modelVersions(name),
      ]);
      return {
        champion,
        challenger,
        production: versions.filter(({ stage }) => stage === 'Production').map(({ version }) => version),
      };
    },
  };
}
