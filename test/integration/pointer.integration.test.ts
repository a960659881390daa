import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createAuditLog, type AuditLog } from '../../stores/audit-log.js';
import { COLLECTIONS } from '../../stores/collections.js';
import type { PointerActivities } from '../../activities/pointer/contract.js';
import { createPointerActivities, type PointerDeps } from '../../activities/pointer/pointer.js';
import { verifyAuditChain } from '../../domain/audit/chain.js';
import { pointerKey } from '../../stores/keys.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { AuditEntry } from '../../schemas/types.js';
import { testSigner } from '../support/live-tiny-bundle.js';
import { testMongo, testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';
import { makeTinyBundle, publishTinyBundle, TINY_MODEL, type TinyBundle } from '../support/tiny-bundle.js';

let stack: SharedServers;
const { signer, trustedKeys } = testSigner();
let bundles: TinyBundle[];

let store: ObjectStore;
let mongo: Mongo;
let audit: AuditLog;

beforeAll(async () => {
  stack = await useServers(['s3', 'mongo']);
  bundles = await Promise.all([0, 1, 2].map((patch) => makeTinyBundle({ signer, patch })));
});

/** Each test has a bucket and a database of its own. */
beforeEach(async () => {
  const id = randomUUID();
  store = await testStore(stack.env, { bucket: `pointer-${id}` });
  await store.ensureBucket();
  mongo = await testMongo(stack.env, `pointer-${id}`);
  audit = createAuditLog(mongo.db);
  for (const bundle of bundles) await publishTinyBundle(store, bundle);
  return async () => {
    store.close();
    await mongo.close();
  };
});

const activities = (changes: Partial<PointerDeps> = {}): PointerActivities =>
  createPointerActivities({ store, audit, signer, trustedKeys, ...changes });

type Swap = Parameters<PointerActivities['swapPointer']>[0];
const swap = (patch: number, expectedGeneration: number, changes: Partial<Swap> = {}): Swap => {
  const { version, manifestSha256 } = bundles[patch] as TinyBundle;
  return {
    model: TINY_MODEL,
    environment: 'production',
    bundle: { version, manifestSha256 },
    expectedGeneration,
    releaseId: `r${expectedGeneration}`,
    putId: randomUUID(),
    actor: 'ada',
    reason: 'a test',
    updatedAt: '2025-06-30T12:00:00.000Z',
    ...changes,
  };
};
const production = { model: TINY_MODEL, environment: 'production' };

/** The chain is whole, and tells the generations of production in order, each once. */
async function expectAudit(versions: string[]): Promise<AuditEntry[]> {
  const entries = await audit.entries();
  expect(verifyAuditChain(entries)).toMatchObject({ intact: true });
  const told = entries.filter(({ environment }) => environment === 'production');
  expect(told.map(({ generation, new_version }) => [generation, new_version])).toEqual(
    versions.map((version, i) => [i + 1, version]),
  );
  return entries;
}
const versionOf = (patch: number) => (bundles[patch] as TinyBundle).version;

/** An audit log whose worker dies once, just before it writes. */
function dyingOnce(real: AuditLog, at: (putId: string) => boolean): AuditLog {
  let died = false;
  return {
    ...real,
    append: (record) => {
      if (died || !at(record.put_id)) return real.append(record);
      died = true;
      return Promise.reject(new Error('killed'));
    },
  };
}

describe('the pointer in S3, its audit in MongoDB', () => {
  it('moves forward, generation by generation, undo included', async () => {
    const { readPointer, swapPointer } = activities();
    expect(await readPointer(production)).toBeNull();
    expect(await swapPointer(swap(0, 0))).toMatchObject({
      outcome: 'swapped',
      pointer: { generation: 1, previous_version: null },
    });
    expect(await swapPointer(swap(1, 1))).toMatchObject({
      outcome: 'swapped',
      pointer: { generation: 2, previous_version: versionOf(0) },
    });
    expect(await swapPointer(swap(0, 2, { reason: 'undo' }))).toMatchObject({
      outcome: 'swapped',
      pointer: { generation: 3 },
    });
    expect(await readPointer(production)).toMatchObject({ version: versionOf(0), generation: 3, reason: 'undo' });
    const entries = await expectAudit([versionOf(0), versionOf(1), versionOf(0)]);
    expect(entries[2]).toMatchObject({ old_version: versionOf(1), actor: 'ada', reason: 'undo', release_id: 'r2' });
    const plain = JSON.parse((await store.get(pointerKey(TINY_MODEL, 'production')))?.bytes.toString() ?? '') as {
      version: string;
    };
    expect(plain.version).toBe(versionOf(0));
  });

  it('refuses an expectation that is not so, and says what is', async () => {
    const { swapPointer } = activities();
    await swapPointer(swap(0, 0));
    for (const expected of [0, 2, 7])
      expect(await swapPointer(swap(1, expected))).toMatchObject({
        outcome: 'lost',
        pointer: { generation: 1, version: versionOf(0) },
      });
    await expectAudit([versionOf(0)]);
  });

  it('has one winner among sixteen rivals, each time', async () => {
    const expected: string[] = [];
    for (let generation = 0; generation < 4; generation++) {
      const rivals = Array.from({ length: 16 }, (_, i) => ({ i, ...swap(i % 3, generation) }));
      const outcomes = await Promise.all(rivals.map((rival) => activities().swapPointer(rival)));
      const winners = outcomes.flatMap((outcome, i) => (outcome.outcome === 'swapped' ? [i] : []));
      expect(winners).toHaveLength(1);
      expect(outcomes.filter(({ outcome }) => outcome === 'lost')).toHaveLength(15);
      expected.push(versionOf((winners[0] as number) % 3));
      await expectAudit(expected);
    }
  });

  it('writes one entry when its worker is killed between the put and the entry', async () => {
    const mine = swap(0, 0);
    const killed = activities({ audit: dyingOnce(audit, (putId) => putId === mine.putId) });
    await expect(killed.swapPointer(mine)).rejects.toThrow('killed');
    expect(await audit.entries()).toHaveLength(0);
    expect(await killed.swapPointer(mine)).toMatchObject({ outcome: 'already', pointer: { generation: 1 } });
    expect(await killed.swapPointer(mine)).toMatchObject({ outcome: 'already' });
    await expectAudit([versionOf(0)]);
  });

  it("writes a killed worker's entry before moving on, and tells its retry that it lost", async () => {
    const mine = swap(0, 0);
    await expect(activities({ audit: dyingOnce(audit, () => true) }).swapPointer(mine)).rejects.toThrow('killed');
    expect(await activities().swapPointer(swap(1, 1))).toMatchObject({ outcome: 'swapped' });
    await expectAudit([versionOf(0), versionOf(1)]);
    expect(await activities().swapPointer(mine)).toMatchObject({ outcome: 'lost', pointer: { generation: 2 } });
    await expectAudit([versionOf(0), versionOf(1)]);
  });

  it('knows its own put again after a lost reply', async () => {
    let lose = true;
    const lossy: ObjectStore = {
      ...store,
      putIfMatch: async (...args) => {
        const outcome = await store.putIfMatch(...args);
        if (lose) throw Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
        return outcome;
      },
    };
    const mine = swap(0, 0);
    await expect(activities({ store: lossy }).swapPointer(mine)).rejects.toThrow('socket hang up');
    lose = false;
    expect(await activities({ store: lossy }).swapPointer(mine)).toMatchObject({ outcome: 'already' });
    await expectAudit([versionOf(0)]);
  });

  it('does not call a refused put a loss when the winner is itself', async () => {
    // An attempt that was given up for dead comes back: between its reading and its put, the retry has put the same change.
    const mine = swap(0, 0);
    const slow: ObjectStore = {
      ...store,
      putIfMatch: async (...args) => {
        await activities().swapPointer(mine);
        return store.putIfMatch(...args);
      },
    };
    expect(await activities({ store: slow }).swapPointer(mine)).toMatchObject({
      outcome: 'already',
      pointer: { generation: 1 },
    });
    await expectAudit([versionOf(0)]);
  });

  it('keeps the environments apart and one chain over both', async () => {
    const steps = [0, 1, 2, 3, 4];
    const run = async (environment: string) => {
      for (const generation of steps)
        expect(await activities().swapPointer(swap(generation % 3, generation, { environment }))).toMatchObject({
          outcome: 'swapped',
        });
    };
    await Promise.all([run('production'), run('staging')]);
    expect(await audit.entries()).toHaveLength(10);
    await expectAudit(steps.map((generation) => versionOf(generation % 3)));
    await expect(activities().readPointer({ ...production, environment: 'prod' })).rejects.toThrow('/environment');
  });

  it('never names a bundle that is not there, whole and signed', async () => {
    const { swapPointer, readPointer } = activities();
    const { version, manifestSha256 } = await makeTinyBundle({ signer, patch: 9 });
    await expect(swapPointer(swap(0, 0, { bundle: { version, manifestSha256 } }))).rejects.toMatchObject({
      type: 'IntegrityError',
    });
    await expect(
      swapPointer(swap(0, 0, { bundle: { version: versionOf(0), manifestSha256: 'f'.repeat(64) } })),
    ).rejects.toThrow(/digest/);

    const foreign = await makeTinyBundle({ signer: testSigner().signer, patch: 8 });
    await publishTinyBundle(store, foreign);
    await expect(swapPointer(swap(0, 0, { bundle: foreign }))).rejects.toThrow(/signature/);

    const partial = await makeTinyBundle({ signer, patch: 7 });
    partial.files.delete('pipeline.onnx');
    partial.files.set('rates.json', Buffer.from('{}'));
    await publishTinyBundle(store, partial);
    await expect(swapPointer(swap(0, 0, { bundle: partial }))).rejects.toThrow(
      /pipeline\.onnx, rates\.json missing or cut short/,
    );
    expect(await readPointer(production)).toBeNull();
    expect(await audit.entries()).toEqual([]);
  });

  it('refuses to read a pointer that was changed or signed by a stranger', async () => {
    await activities().swapPointer(swap(0, 0));
    const key = pointerKey(TINY_MODEL, 'production');
    const { bytes, etag } = (await store.get(key)) as { bytes: Buffer; etag: string };
    await store.putIfMatch(key, Buffer.from(bytes.toString().replace(versionOf(0), versionOf(1))), etag);
    await expect(activities().readPointer(production)).rejects.toMatchObject({ name: 'IntegrityError' });
    await expect(activities().swapPointer(swap(1, 1))).rejects.toMatchObject({ name: 'IntegrityError' });
    await expect(activities({ trustedKeys: new Map() }).readPointer(production)).rejects.toThrow(/0 trusted keys/);
  });

  it('stops when the store was set back behind its audit log', async () => {
    await activities().swapPointer(swap(0, 0));
    const other = await testStore(stack.env, { bucket: `pointer-${randomUUID()}` });
    await other.ensureBucket();
    for (const bundle of bundles) await publishTinyBundle(other, bundle);
    await expect(activities({ store: other }).swapPointer(swap(0, 0))).rejects.toThrow(
      /knows generation 1.*replaced or rolled back/,
    );
    other.close();
  });

  it('shows what was changed in the audit log', async () => {
    await activities().swapPointer(swap(0, 0));
    await activities().swapPointer(swap(1, 1));
    await mongo.db.collection(COLLECTIONS.auditLog.name).updateOne({ seq: 1 }, { $set: { actor: 'nobody' } });
    expect(verifyAuditChain(await audit.entries())).toMatchObject({ intact: false, seq: 1 });
  });
});
