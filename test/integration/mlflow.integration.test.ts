import { randomUUID } from 'node:crypto';
import getPort from 'get-port';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RegistryActivities } from '../../activities/registry/contract.js';
import { createRegistryActivities } from '../../activities/registry/registry.js';
import { createMlflowClient, type MlflowClient } from '../../platform/mlflow.js';
import { createMlflowTracking } from '../../platform/mlflow-tracking.js';
import { createRun, putArtifact } from '../support/mlflow-run.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

let stack: SharedServers;
let uri: string;
let mlflow: MlflowClient;
beforeAll(async () => {
  stack = await useServers(['s3', 'mlflow']);
  uri = stack.env['MLFLOW_TRACKING_URI'] as string;
  mlflow = createMlflowClient(uri);
});

let model: string;
let activities: RegistryActivities;
const using = (client: MlflowClient) =>
  createRegistryActivities({
    mlflow: client,
    models: { load: (name: string) => Promise.resolve({ spec: { registered_name: name, description: 'a test' } }) },
  });
beforeEach(() => {
  model = `m_${randomUUID()}`;
  activities = using(mlflow);
});

const registration = (runId: string) => ({
  model,
  runId,
  releaseId: 'r1',
  dataSnapshotId: 's1',
  gitSha: '0a1b2c3',
  metrics: { auc_pr: 0.79, recall: null },
});
const fail = () => Promise.reject(new Error('killed'));

interface Answer {
  experiment?: { tags: { key: string; value: string }[] };
  model_version?: { description: string };
}

describe('the MLflow registry', () => {
  it('has a page for models, not for prompts, and a description that a person reads', async () => {
    const tracking = createMlflowTracking(uri);
    const id = await tracking.ensureExperiment(model);
    const get = async (path: string) => (await fetch(`${uri}/api/2.0/mlflow/${path}`)).json() as Promise<Answer>;
    const { experiment } = await get(`experiments/get?experiment_id=${id}`);
    expect(experiment?.tags).toContainEqual({ key: 'mlflow.experimentKind', value: 'custom_model_development' });
    const runId = await createRun(uri);
    await activities.register({ ...registration(runId), metrics: { auc_roc: 0.9871258322720486, recall: null } });
    const { model_version } = await get(`model-versions/get?name=${model}&version=1`);
    expect(model_version?.description).toBe('Release r1. auc_roc 0.9871, recall not measured');
  });

  it('registers a run once: tags, alias challenger, stage Staging', async () => {
    const runId = await createRun(uri);
    const first = await activities.register(registration(runId));
    expect(await activities.register(registration(runId))).toEqual(first);
    const versions = await mlflow.modelVersions(model);
    expect(versions).toHaveLength(1);
    expect(versions[0]).toMatchObject({
      version: '1',
      runId,
      stage: 'Staging',
      tags: { 'sluice.release': 'r1', 'sluice.data_snapshot_id': 's1', 'sluice.git_sha': '0a1b2c3' },
    });
    expect(await activities.registryState({ model })).toEqual({ champion: null, challenger: '1', production: [] });
  });

  it.each(['ensureRegisteredModel', 'createModelVersion', 'setAlias', 'transitionStage'] as const)(
    'registers once when the worker is killed after %s, before its answer',
    async (call) => {
      const runId = await createRun(uri);
      const dying: MlflowClient = {
        ...mlflow,
        [call]: async (...args: never[]) => {
          await (mlflow[call] as (...a: never[]) => Promise<unknown>)(...args);
          return fail();
        },
      };
      await expect(using(dying).register(registration(runId))).rejects.toThrow('killed');
      expect(await activities.register(registration(runId))).toEqual({ modelVersion: '1' });
      expect(await mlflow.modelVersions(model)).toMatchObject([{ version: '1', stage: 'Staging' }]);
      expect(await mlflow.getAlias(model, 'challenger')).toBe('1');
    },
  );

  it('settles on one version when attempts overlap', async () => {
    const runId = await createRun(uri);
    const answers = await Promise.all(
      [1, 2, 3, 4].map(() => activities.register(registration(runId)).catch((e: Error) => e)),
    );
    const settled = await activities.register(registration(runId));
    expect((await mlflow.modelVersions(model)).map(({ version }) => version)).toEqual([settled.modelVersion]);
    for (const answer of answers) if (!(answer instanceof Error)) expect(answer).toEqual(settled);
  });

  it('does not pull a promoted version back when an old attempt comes late', async () => {
    const runId = await createRun(uri);
    const { modelVersion } = await activities.register(registration(runId));
    await activities.setStage({ model, modelVersion, stage: 'Production' });
    await activities.setAlias({ model, alias: 'challenger', modelVersion: null });
    await activities.register(registration(runId));
    expect(await activities.registryState({ model })).toEqual({ champion: null, challenger: null, production: ['1'] });
  });

  it('moves stages, aliases and tags, each as often as asked', async () => {
    const [a, b] = [await createRun(uri), await createRun(uri)];
    const one = (await activities.register(registration(a))).modelVersion;
    const two = (await activities.register(registration(b))).modelVersion;
    for (let twice = 0; twice < 2; twice++) {
      await activities.setStage({ model, modelVersion: one, stage: 'Production' });
      await activities.setAlias({ model, alias: 'champion', modelVersion: one });
      await activities.tagModelVersion({
        model,
        modelVersion: one,
        tags: { 'sluice.bundle': 'b1', 'sluice.generation': '1' },
      });
    }
    expect(await activities.registryState({ model })).toEqual({ champion: one, challenger: two, production: [one] });
    expect((await mlflow.getModelVersion(model, one)).tags).toMatchObject({
      'sluice.bundle': 'b1',
      'sluice.generation': '1',
    });
    for (let twice = 0; twice < 2; twice++) {
      await activities.setAlias({ model, alias: 'champion', modelVersion: null });
      await activities.setStage({ model, modelVersion: one, stage: 'Archived' });
    }
    expect(await activities.registryState({ model })).toEqual({ champion: null, challenger: two, production: [] });
  });

  it('knows nothing of a model that was never registered', async () => {
    expect(await activities.registryState({ model })).toEqual({ champion: null, challenger: null, production: [] });
    await expect(activities.setStage({ model, modelVersion: '1', stage: 'Staging' })).rejects.toMatchObject({
      type: 'NotFound',
    });
    await expect(activities.register(registration('0'.repeat(32)))).rejects.toMatchObject({ type: 'NotFound' });
    await activities.setAlias({ model, alias: 'champion', modelVersion: null });
  });

  it('hands out artifacts as they were logged', async () => {
    const bytes = Buffer.from([0, 1, 255, 10, 13]);
    const path = 'bundle/a file+ä.bin';
    const runId = await createRun(uri, new Map([['bundle/x.json', Buffer.from('{}')]]));
    const run = await mlflow.getRun(runId);
    await putArtifact(uri, run.experimentId, runId, encodeURI(path), bytes);
    expect(await mlflow.downloadArtifact(run, path)).toEqual(bytes);
    expect(await mlflow.downloadArtifact({ ...run, artifactUri: 's3://elsewhere' }, 'bundle/x.json')).toEqual(
      Buffer.from('{}'),
    );
    expect(await mlflow.listArtifacts(runId, 'bundle')).toContainEqual({ path: 'bundle/x.json', bytes: 2 });
    await expect(mlflow.downloadArtifact(run, 'bundle/none')).rejects.toMatchObject({
      message: expect.stringContaining(uri),
    });
  });

  it('says where nobody answers', async () => {
    const port = await getPort();
    const dead = using(createMlflowClient(`http://127.0.0.1:${port}`));
    await expect(dead.registryState({ model })).rejects.toMatchObject({
      type: 'Unreachable',
      message: expect.stringMatching(`MLflow at http://127\\.0\\.0\\.1:${port} .*MLFLOW_TRACKING_URI`),
    });
  });
});
