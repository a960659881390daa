import { connectMongo, type Mongo } from '../../platform/mongo.js';
import { createObjectStore, type ObjectStore, type ObjectStoreOptions } from '../../platform/object-store.js';

type Env = Readonly<Record<string, string>>;

function required(env: Env, name: string): string {
  const value = env[name];
  if (value === undefined) throw new Error(`the test's stack provides no ${name}`);
  return value;
}

/** The test stack's S3, in a bucket that exists. */
export async function testStore(env: Env, overrides: Partial<ObjectStoreOptions> = {}): Promise<ObjectStore> {
  const store = createObjectStore({
    endpoint: required(env, 'S3_ENDPOINT'),
    region: env['S3_REGION'] ?? 'us-east-1',
    bucket: env['S3_BUCKET'] ?? 'sluice',
    accessKeyId: required(env, 'S3_ACCESS_KEY_ID'),
    secretAccessKey: required(env, 'S3_SECRET_ACCESS_KEY'),
    ...overrides,
  });
  if (Object.keys(overrides).length === 0) await store.ensureBucket();
  return store;
}

/** The test stack's MongoDB, in a database of the test's own. */
export function testMongo(env: Env, database: string): Promise<Mongo> {
  return connectMongo({ uri: required(env, 'MONGODB_URI'), database });
}
