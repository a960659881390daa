import { randomUUID } from 'node:crypto';
import getPort from 'get-port';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createProvenanceActivities } from '../../activities/registry/provenance.js';
import type { RegistryActivities } from '../../activities/registry/contract.js';
import { createRegistryActivities } from '../../activities/registry/registry.js';
import { createMlflowClient, type MlflowClient } from '../../platform/mlflow.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { createMlflowTracking } from '../../platform/mlflow-tracking.js';
import { testSigner } from '../support/live-tiny-bundle.js';
import { createRun, putArtifact } from '../support/mlflow-run.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';
import { makeTinyBundle, TINY_MODEL } from '../support/tiny-bundle.js';

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
    await activities.register({
      ...registration(runId),
      metrics: { log_loss: 0.03, recall: null, auc_roc: 0.9871258322720486 },
    });
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

describe('what a candidate was made of', () => {
  const tracked = async (params: Record<string, string>): Promise<string> => {
    const runId = await createRun(uri);
    for (const [key, value] of Object.entries(params))
      await fetch(`${uri}/api/2.0/mlflow/runs/log-parameter`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ run_id: runId, key, value }),
      });
    return runId;
  };

  it('is told beside the live bundle, with pages that carry no credentials; what was deleted is not known any more', async () => {
    const { signer, trustedKeys } = testSigner();
    const bundle = await makeTinyBundle({ signer });
    const store = {
      bucket: 'sluice',
      endpoint: 'http://s3',
      get: (key: string) => {
        const bytes = key.includes(bundle.version) ? bundle.files.get(key.split('/').at(-1) as string) : undefined;
        return Promise.resolve(bytes === undefined ? null : { bytes, etag: 'e' });
      },
    } as unknown as ObjectStore;
    const [before, now] = [
      await tracked({ seed: '1', num_leaves: '31' }),
      await tracked({ seed: '2', num_leaves: '31' }),
    ];
    const theirs = (runId: string) => (runId === now ? now : before);
    const secret = createMlflowClient(uri.replace('http://', 'http://ada:pa55@'));
    const of = (client: Pick<MlflowClient, 'address' | 'getRun'>) =>
      createProvenanceActivities({
        ...{ mlflow: client, store, trustedKeys },
        models: { load: () => Promise.resolve({ spec: { registered_name: 'a model', description: '' } }) },
      });
    const asked = { model: TINY_MODEL, runId: now, modelVersion: '2' };

    const known = await of({ address: secret.address, getRun: (id) => mlflow.getRun(theirs(id)) }).provenance({
      ...asked,
      champion: bundle.version,
    });
    expect(known.parameters).toEqual([{ name: 'seed', champion: '1', candidate: '2' }]);
    expect(known.champion).toMatchObject({
      bundle: bundle.version,
      files: `s3://sluice/fraud/artifacts/${TINY_MODEL}/${bundle.version}/`,
      data: null,
    });
    expect(known.links.version).toBe(`${uri}/#/models/a%20model/versions/2`);
    expect(known.links.run).toMatch(new RegExp(`^${uri}/#/experiments/\\d+/runs/${now}$`));
    expect(JSON.stringify(known)).not.toContain('pa55');

    const gone = await of(mlflow).provenance({ ...asked, champion: bundle.version });
    expect(gone).toMatchObject({ parameters: null, champion: { links: { run: null } } });
    const first = await of(mlflow).provenance({ ...asked, champion: null });
    expect(first).toMatchObject({ champion: null, parameters: expect.arrayContaining([expect.anything()]) });
  });
});
