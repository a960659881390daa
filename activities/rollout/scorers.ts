import type { Db } from 'mongodb';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import { located } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { createReplicaRegistry } from '../../stores/replica-registry.js';
import type { ScorerActivities } from './contract.js';
import { readGoldenVectors } from './golden-vectors.js';
import { smokeReplica } from './smoke.js';

/** What the release worker asks of scorers from the outside: who is alive, and whether one answers as it should. */
export function createScorerActivities(deps: {
  db: Db;
  store: ObjectStore;
  trustedKeys: TrustedKeys;
}): ScorerActivities {
  const registry = createReplicaRegistry(deps.db);
  return {
    async liveReplicas({ model, environment }) {
      const records = await registry.live(model, environment);
      return records.map(({ _id, address, generation, manifest_sha256 }) => ({
        replicaId: _id,
        address,
        environment,
        generation,
        manifestSha256: manifest_sha256,
      }));
    },

    smoke: ({ model, replica, bundle, generation }) =>
      located(`smoke of ${replica.replicaId} at ${replica.address}`, async () => {
        const vectors = await readGoldenVectors(deps, { model, ...bundle });
        return await smokeReplica({ address: replica.address, bundle, generation, vectors });
      }),
  };
}
