import type { Client } from '@temporalio/client';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import { bundleIdOf } from '../../domain/bundle/id.js';
import type { LiveState } from '../../domain/release/live-state.js';
import { MODEL_ATTRIBUTE, STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import type { MlflowClient } from '../../platform/mlflow.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { ModelSpec } from '../../schemas/types.js';
import { readManifest } from '../../stores/manifests.js';
import { fetchPointer } from '../../stores/pointers.js';
import type { RolloutVerdicts } from '../../stores/rollout-verdicts.js';
import type { LiveStateActivities } from './contract.js';

export interface LiveStateDeps {
  store: ObjectStore;
  trustedKeys: TrustedKeys;
  verdicts: Pick<RolloutVerdicts, 'of'>;
  mlflow: Pick<MlflowClient, 'getAlias' | 'modelVersions'>;
  models: { load: (model: string) => Promise<{ spec: Pick<ModelSpec, 'registered_name'> }> };
  client: Client;
}

/** Everything that says what is live, side by side. */
export function createLiveStateActivities(deps: LiveStateDeps): LiveStateActivities {
  const { store, trustedKeys, verdicts, mlflow, models, client } = deps;
  return {
    async lookAtLive({ model, environment }) {
      const found = await fetchPointer(store, trustedKeys, { model, environment });
      if (found === null) return null;
      const { pointer } = found;
      // Read before the registry: what begins later finds the registry as it was, and is not disturbed by what is missing here.
      const underWay = await changesUnderWay(client, model);
      const name = (await models.load(model)).spec.registered_name;
      const [manifest, verdict, champion, challenger, versions] = await Promise.all([
        readManifest(store, trustedKeys, { model, ...bundleIdOf(pointer) }),
        verdicts.of({ model, environment, generation: pointer.generation }),
        mlflow.getAlias(name, 'champion'),
        mlflow.getAlias(name, 'challenger'),
        mlflow.modelVersions(name),
      ]);
      const inStage = (stage: string) => versions.filter((one) => one.stage === stage);
      return {
        live: pointer,
        modelVersion: manifest.model_version,
        verdict,
        champion,
        challenger,
        production: inStage('Production').map(({ version }) => version),
        staging: inStage('Staging')
          .filter(({ tags }) => tags['sluice.release'] !== undefined)
          .map(({ version }) => version),
        underWay,
      };
    },
  };
}

/** Runs that move a model's stages and aliases by themselves. */
async function changesUnderWay(client: Client, model: string): Promise<LiveState['underWay']> {
  const ofModel = `${MODEL_ATTRIBUTE.name} = '${model.replaceAll("'", "''")}'`;
  const query = `ExecutionStatus = 'Running' AND ${ofModel} AND WorkflowType IN ('releaseModel', 'rollbackRelease')`;
  const found: LiveState['underWay'] = [];
  for await (const { workflowId, typedSearchAttributes } of client.workflow.list({ query }))
    found.push({ workflowId, waits: typedSearchAttributes.get(STATUS_ATTRIBUTE) === 'WaitingForApproval' });
  return found;
}
