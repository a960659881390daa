import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe } from 'vitest';
import { claimRetraining, markStarted } from '../../stores/drift/retrainings.js';
import { createPointerActivities } from '../../activities/pointer/pointer.js';
import { createRegistryActivities } from '../../activities/registry/registry.js';
import { createRolloutActivities } from '../../activities/rollout/rollout.js';
import type { BundleId } from '../../domain/bundle/id.js';
import { createMlflowClient } from '../../platform/mlflow.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { createAuditLog } from '../../stores/audit-log.js';
import { createRolloutVerdicts } from '../../stores/rollout-verdicts.js';
import { pointerContract } from '../contracts/pointer.contract.js';
import { registryContract } from '../contracts/registry.contract.js';
import { retrainingContract } from '../contracts/retraining.contract.js';
import { rolloutContract } from '../contracts/rollout.contract.js';
import { testSigner } from '../support/live-tiny-bundle.js';
import { createRun } from '../support/mlflow-run.js';
import { testMongo, testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';
import { makeTinyBundle, pointTo, publishTinyBundle, TINY_MODEL, type TinyBundle } from '../support/tiny-bundle.js';

// The same cases as the fakes': test/unit/fakes.test.ts.

let servers: SharedServers;
let mongo: Mongo;
let tiny: [TinyBundle, TinyBundle, TinyBundle];
let bundles: [BundleId, BundleId, BundleId];
const stores: ObjectStore[] = [];
const { signer, trustedKeys } = testSigner();

beforeAll(async () => {
  servers = await useServers(['s3', 'mongo', 'mlflow']);
  mongo = await testMongo(servers.env, 'contracts');
  const make = (patch: number) => makeTinyBundle({ signer, patch });
  tiny = [await make(0), await make(1), await make(2)];
  const [a, b, c] = tiny.map(({ version, manifestSha256 }) => ({ version, manifestSha256 }));
  bundles = [a as BundleId, b as BundleId, c as BundleId];
});
afterAll(async () => {
  for (const store of stores) store.close();
  await mongo?.close();
});

/** A bucket of its own with the three bundles in it. */
async function newStore(): Promise<ObjectStore> {
  const store = await testStore(servers.env, { bucket: `contract-${randomUUID()}` });
  stores.push(store);
  await store.ensureBucket();
  for (const bundle of tiny) await publishTinyBundle(store, bundle);
  return store;
}
const newDatabase = () => mongo.client.db(`contract-${randomUUID()}`);

describe('the pointer in S3', () => {
  pointerContract(async () => {
    const audit = createAuditLog(newDatabase());
    const activities = createPointerActivities({ store: await newStore(), audit, signer, trustedKeys });
    return { activities, model: TINY_MODEL, bundles };
  });
});

describe('the registry in MLflow', () => {
  registryContract(() => {
    const uri = servers.env['MLFLOW_TRACKING_URI'] as string;
    const activities = createRegistryActivities({
      mlflow: createMlflowClient(uri),
      models: { load: (name) => Promise.resolve({ spec: { registered_name: name, description: 'a test' } }) },
    });
    return Promise.resolve({ activities, model: `m_${randomUUID()}`, run: () => createRun(uri) });
  });
});

describe('the record of rollouts in MongoDB and S3', () => {
  rolloutContract(async () => {
    const store = await newStore();
    const verdicts = createRolloutVerdicts({ db: newDatabase(), store, trustedKeys });
    let generation = 0;
    const goLive = async ({ version }: BundleId): Promise<void> => {
      const bundle = tiny.find((one) => one.version === version) as TinyBundle;
      await pointTo(store, signer, bundle, (generation += 1));
    };
    return { activities: createRolloutActivities({ verdicts, store }), model: TINY_MODEL, bundles, goLive };
  });
});

describe('the record of retrainings in MongoDB', () => {
  retrainingContract(() => {
    const db = newDatabase();
    const activities = {
      claimRetraining: (input: Parameters<typeof claimRetraining>[1]) => claimRetraining(db, input, 14),
      recordRetraining: ({ model, releaseId, startedAt }: Record<'model' | 'releaseId' | 'startedAt', string>) =>
        markStarted(db, model, releaseId, startedAt),
    };
    return Promise.resolve({ activities, model: TINY_MODEL });
  });
});
