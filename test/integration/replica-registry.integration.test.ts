import { afterAll, beforeAll, describe } from 'vitest';
import type { Mongo } from '../../platform/mongo.js';
import { createReplicaRegistry } from '../../stores/replica-registry.js';
import { replicaRegistryContract } from '../contracts/replica-registry.contract.js';
import { testMongo } from '../support/servers.js';
import { startTestStack, type TestStack } from '../support/stack.js';

let servers: TestStack;
let mongo: Mongo;
let serial = 0;

beforeAll(async () => {
  servers = await startTestStack(['mongo']);
  mongo = await testMongo(servers.env, 'registry');
});
afterAll(async () => {
  await mongo?.close();
  await servers?.stop();
});

describe('the registry of replicas in MongoDB', () => {
  replicaRegistryContract(() => createReplicaRegistry(mongo.client.db(`registry_${(serial += 1)}`)));
});
