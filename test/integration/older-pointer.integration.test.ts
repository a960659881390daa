import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { auditRecordOf } from '../../domain/audit/chain.js';
import { loadSigner } from '../../platform/keys.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { Health } from '../../scoring/serving/api-schemas.js';
import { createAuditLog } from '../../stores/audit-log.js';
import { COLLECTIONS } from '../../stores/collections.js';
import { createReplicaRegistry } from '../../stores/replica-registry.js';
import { ensureBuilt } from '../support/build.js';
import { startScorerProcess, type ScorerProcess } from '../support/scorer-process.js';
import { testMongo, testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';
import {
  makeTinyBundle,
  pointTo,
  publishTinyBundle,
  TINY_MODEL,
  tinyPointer,
  writeTinyModel,
  type TinyBundle,
} from '../support/tiny-bundle.js';

// Somebody who may write to the store puts back an older pointer. It is signed by the right key, so only memory can tell.
let servers: SharedServers;
let store: ObjectStore;
let mongo: Mongo;
let signer: Awaited<ReturnType<typeof loadSigner>>;
let directory: string;
let bundles: TinyBundle[];
const running: ScorerProcess[] = [];

beforeAll(async () => {
  [servers] = await Promise.all([useServers(['mongo', 's3']), ensureBuilt()]);
  const { env } = servers;
  store = await testStore(env);
  mongo = await testMongo(env, env['MONGODB_DATABASE'] as string);
  signer = await loadSigner(env['SLUICE_SIGNING_KEY_FILE'] ?? '');
  directory = await mkdtemp(join(tmpdir(), 'sluice-older-pointer-'));
  writeTinyModel(directory);
  bundles = [await makeTinyBundle({ signer, patch: 1 }), await makeTinyBundle({ signer, patch: 2, model: 'b' })];
  for (const bundle of bundles) await publishTinyBundle(store, bundle);
});
afterEach(async () => {
  for (const scorer of running.splice(0)) {
    scorer.signal('SIGKILL');
    await scorer.exited;
  }
});
afterAll(async () => {
  store?.close();
  await mongo?.close();
  await rm(directory, { recursive: true, force: true });
});

const point = (generation: number) => pointTo(store, signer, bundles[generation % 2] as TinyBundle, generation);

/** @param state a folder that earlier lives have used, or a new one */
async function start(id: string, state: string): Promise<ScorerProcess> {
  const { env } = servers;
  const scorer = await startScorerProcess({
    SCORER_MODEL: TINY_MODEL,
    SLUICE_MODELS_DIR: directory,
    SCORER_REPLICA_ID: id,
    SCORER_POLL_MS: '200',
    SCORER_RENEW_MS: '100',
    SLUICE_STATE_DIR: join(directory, state),
    SLUICE_TRUSTED_KEYS_FILE: env['SLUICE_TRUSTED_KEYS_FILE'] ?? '',
    MONGODB_URI: env['MONGODB_URI'] ?? '',
    MONGODB_DATABASE: env['MONGODB_DATABASE'] ?? '',
    S3_ENDPOINT: env['S3_ENDPOINT'] ?? '',
    S3_BUCKET: env['S3_BUCKET'] ?? '',
    S3_ACCESS_KEY_ID: env['S3_ACCESS_KEY_ID'] ?? '',
    S3_SECRET_ACCESS_KEY: env['S3_SECRET_ACCESS_KEY'] ?? '',
  });
  running.push(scorer);
  return scorer;
}

async function health(scorer: ScorerProcess): Promise<{ status: number; body: Health }> {
  const response = await fetch(`${scorer.address}/v1/health`);
  return { status: response.status, body: (await response.json()) as Health };
}
const serves = (scorer: ScorerProcess, generation: number) =>
  vi.waitFor(async () => expect(await health(scorer)).toMatchObject({ status: 200, body: { generation } }), 20_000);
const refuses = (scorer: ScorerProcess, message: RegExp, generation: number | null) =>
  vi.waitFor(
    async () =>
      expect((await health(scorer)).body).toMatchObject({
        generation,
        notices: expect.arrayContaining([expect.stringMatching(message)]) as string[],
      }),
    20_000,
  );
const registry = () => createReplicaRegistry(mongo.db).newestGeneration(TINY_MODEL, 'production');

describe('an older signed pointer that was put back', () => {
  it('is not believed by a replica without a cache, and the mark of the registry stays', async () => {
    await point(1);
    await point(2);
    await point(3);
    const first = await start('first', 'first');
    await serves(first, 3);
    await vi.waitFor(async () => expect(await registry()).toBe(3), 10_000);

    await point(2);
    await refuses(first, /offers generation 2, older than 3/, 3);
    const fresh = await start('fresh', 'fresh');
    await refuses(fresh, /offers generation 2, and 3 is on record: an older pointer was put back/, null);
    expect(await health(fresh)).toMatchObject({ status: 503, body: { reasons: ['no bundle yet'] } });

    first.signal('SIGKILL');
    await first.exited;
    const again = await start('first', 'first-without-its-cache');
    await refuses(again, /offers generation 2, and 3 is on record/, null);
    expect(await registry()).toBe(3);

    await point(3);
    await serves(fresh, 3);
    await serves(again, 3);
  });

  it('is not believed though the registry was emptied, while the audit log knows better', async () => {
    await point(3);
    for (const kept of [COLLECTIONS.replicas, COLLECTIONS.generationMarks])
      await mongo.db.collection(kept.name).deleteMany({});
    await createAuditLog(mongo.db).append(auditRecordOf(tinyPointer(bundles[0] as TinyBundle, 4)));
    const fresh = await start('audited', 'audited');
    await refuses(fresh, /offers generation 3, and 4 is on record/, null);
    await point(4);
    await serves(fresh, 4);
  });

  it('is not believed by a replica whose own disk knows better, with its bundle damaged and no database', async () => {
    await point(5);
    const first = await start('disk', 'disk');
    await serves(first, 5);
    first.signal('SIGKILL');
    await first.exited;
    await rm(join(directory, 'disk', 'scorer-cache', 'disk', 'current', 'bundle'), { recursive: true });
    for (const kept of [COLLECTIONS.replicas, COLLECTIONS.generationMarks, COLLECTIONS.auditLog])
      await mongo.db.collection(kept.name).deleteMany({});
    await point(4);
    const again = await start('disk', 'disk');
    await refuses(again, /offers generation 4, and 5 is on record/, null);
  });
});
