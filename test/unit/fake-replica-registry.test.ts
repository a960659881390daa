import { describe } from 'vitest';
import { createFakeReplicaRegistry } from '../support/fake-replica-registry.js';
import { replicaRegistryContract } from '../contracts/replica-registry.contract.js';

describe('the registry of replicas that tests use', () => {
  replicaRegistryContract(() => createFakeReplicaRegistry(Date.now));
});
