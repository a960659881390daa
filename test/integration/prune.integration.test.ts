import { Client, type Connection, type WorkflowHandle } from '@temporalio/client';
import type { PayloadCodec } from '@temporalio/common';
import proto from '@temporalio/proto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAuditLog } from '../../stores/audit-log.js';
import { readManifest } from '../../stores/manifests.js';
import { createPointerActivities } from '../../activities/pointer/pointer.js';
import { referenceDeps } from '../../stores/retention/deps.js';
import { createPruneActivities } from '../../activities/retention/prune.js';
import { openRuns } from '../../stores/retention/open-runs.js';
import { planPrune } from '../../stores/retention/plan.js';
import type { PruneResult } from '../../activities/retention/contract.js';
import { createRolloutVerdicts } from '../../stores/rollout-verdicts.js';
import { sha256Hex } from '../../domain/bundle/digest.js';
import { bundleKey, pointerKey } from '../../stores/keys.js';
import { MANIFEST_FILE, MANIFEST_PAYLOAD_TYPE, SIGNATURE_FILE } from '../../domain/bundle/layout.js';
import { buildManifest } from '../../domain/bundle/manifest.js';
import { holdsValue } from '../../domain/runs/holds.js';
import { HOLDS_ATTRIBUTE, MODEL_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import { signEnvelope } from '../../domain/dsse/dsse.js';
import { writePointerFile } from '../../domain/pointer/pointer.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { testSigner } from '../support/live-tiny-bundle.js';
import { testMongo, testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';
import { connectTemporal, type TestTemporal } from '../support/temporal.js';
import type { BundleId } from '../../domain/bundle/id.js';

// What goes and what stays, on a real S3, with real pointers, verdicts, pins and an open run.
let stack: SharedServers;
let store: ObjectStore;
let mongo: Mongo;
let temporal: TestTemporal;
let client: Client;
let model: string;
const { signer, trustedKeys } = testSigner();

beforeAll(async () => {
  stack = await useServers(['mongo', 's3', 'temporal']);
  store = await testStore(stack.env);
  mongo = await testMongo(stack.env, 'prune');
  temporal = await connectTemporal(stack.env);
  ({ client } = temporal);
});
afterAll(async () => {
  store?.close();
  await mongo?.close();
  await temporal?.close();
});
let serial = 0;
beforeEach(() => void (model = `tiny${(serial += 1)}`));

const id = (n: number) => String(n).padStart(2, '0');
const name = (n: number) => `202501${id(n)}-120000-1.0.${n}-0a1b2c3`;
const json = (value: unknown) => Buffer.from(JSON.stringify(value));
async function publish(n: number, parent: number | null = null): Promise<BundleId> {
  const version = name(n);
  const files = new Map<string, Buffer>([
    ['feature_registry.json', json({ n })],
    ['pipeline.onnx', Buffer.alloc(100, n)],
  ]);
  const { bytes } = buildManifest(
    {
      model,
      modelVersion: String(n),
      version,
      runId: 'run',
      gitSha: '0a1b2c3',
      trainedAt: '2025-01-01T00:00:00Z',
      asOf: '2025-01-01T00:00:00Z',
      dataSnapshotId: `snap-${id(n)}`,
      metrics: {},
      parentVersion: parent === null ? null : name(parent),
      releaseId: `r${n}`,
    },
    files,
  );
  files.set(SIGNATURE_FILE, json(signEnvelope(MANIFEST_PAYLOAD_TYPE, bytes, signer)));
  files.set(MANIFEST_FILE, bytes);
  for (const [file, content] of files)
    await store.putIfAbsent(bundleKey(model, version, file), content, 'application/json');
  await store.putIfAbsent(`fraud/claims/${model}/${version}.json`, json({}), 'application/json');
  return { version, manifestSha256: sha256Hex(bytes) };
}
const bundles = new Map<number, BundleId>();
async function publishMany(last: number, parentOf: Record<number, number> = {}): Promise<void> {
  await Promise.all(
    Array.from({ length: last }, async (_, i) => bundles.set(i + 1, await publish(i + 1, parentOf[i + 1] ?? null))),
  );
  // The newest snapshots are those written last: one after the other, or another pair is the newest each time.
  for (let n = 1; n <= last; n += 1)
    for (const [file, content] of Object.entries({ 'snapshot.parquet': json([n]), 'snapshot.json': json({ n }) }))
      await store.putIfAbsent(`fraud/snapshots/${model}/snap-${id(n)}/${file}`, content, 'application/json');
}
const ref = (n: number) => bundles.get(n) ?? expect.fail(`no bundle ${n}`);
const swapper = () => createPointerActivities({ store, audit: createAuditLog(mongo.db), signer, trustedKeys });
async function swap(n: number, environment = 'production'): Promise<void> {
  const pointer = swapper();
  const live = await pointer.readPointer({ model, environment });
  const change = {
    model,
    environment,
    bundle: ref(n),
    releaseId: 'r',
    putId: `${model}/${n}/${Date.now()}`,
    actor: 'ada',
    reason: 'a test',
    updatedAt: new Date().toISOString(),
  };
  expect(await pointer.swapPointer({ ...change, expectedGeneration: live?.generation ?? 0 })).toMatchObject({
    outcome: 'swapped',
  });
}
const deps = (through: ObjectStore = store) => referenceDeps({ db: mongo.db, store: through, trustedKeys, client });
const later = () => new Date(Date.now() + 60_000).toISOString();
const policy = () => ({ keep: 2, olderThanDays: 0, now: later() });
const going = async () =>
  (await planPrune(deps(), model, policy()))
    .filter(({ goes }) => goes)
    .map(({ kind, name: what }) => `${kind} ${what}`);
async function prune(through: ObjectStore = store): Promise<PruneResult> {
  const { pruneArtifacts } = createPruneActivities({ ...deps(through), defaults: { keep: 2, olderThanDays: 0 } });
  return new MockActivityEnvironment().run<[{ model: string; now: string }], PruneResult, typeof pruneArtifacts>(
    pruneArtifacts,
    { model, now: later() },
  );
}
const names = (...of: number[]) => of.map((n) => `bundle ${name(n)}`);
const deleted = ({ deleted: gone }: PruneResult) => gone.map(({ kind, name: what }) => `${kind} ${what}`);
const objects = async (prefix: string) => (await store.list(`${prefix}/${model}/`)).map(({ key }) => key);
/** A running workflow without a worker; it says which bundles it holds, unless these are null. */
const start = (workflowType: string, workflowId: string, holds: string[] | null, through = client) =>
  through.workflow.start(workflowType, {
    taskQueue: 'nobody',
    workflowId,
    args: [{ bundle: { version: 'of no interest' } }],
    ...(holds === null
      ? {}
      : {
          typedSearchAttributes: [
            { key: MODEL_ATTRIBUTE, value: model },
            { key: HOLDS_ATTRIBUTE, value: holdsValue(holds) },
          ],
        }),
  });
const running = (count: number) =>
  vi.waitUntil(async () => (await openRuns(client, model)).length === count, { timeout: 15_000 });
const goneBundles = (result: PruneResult) => deleted(result).filter((one) => one.startsWith('bundle'));
const plannedBundles = async () => (await planPrune(deps(), model, policy())).filter(({ kind }) => kind === 'bundle');
/** Runs that begin after this spare nothing by their age alone: bundles are dated in January. */
async function publishOld(last: number): Promise<void> {
  await publishMany(last);
  await swap(last);
}
/** The store with something that happens at one moment. */
function whenever(moment: (method: 'copy' | 'delete', key: string) => Promise<void>): ObjectStore {
  return {
    ...store,
    copy: async (from, to) => {
      await store.copy(from, to);
      await moment('copy', from);
    },
    delete: async (key) => {
      await moment('delete', key);
      await store.delete(key);
    },
  };
}

describe('keep the last N', () => {
  it('deletes what nothing names; a pointer, its parent, a candidate, the rollback target, a pin and an open run keep theirs', async () => {
    await publishMany(14, { 10: 4 });
    await swap(9);
    await swap(10);
    await swap(3, 'staging');
    const live = await store.get(pointerKey(model, 'production'));
    const pointer = (await swapper().readPointer({ model, environment: 'production' })) ?? expect.fail('no pointer');
    const candidate = { version: name(2), manifest_sha256: ref(2).manifestSha256, weight: 0.1, salt: 's' };
    await store.putIfMatch(
      pointerKey(model, 'production'),
      writePointerFile({ ...pointer, candidate }, signer),
      live?.etag ?? null,
    );
    const verdicts = createRolloutVerdicts({ db: mongo.db, store, trustedKeys });
    for (const [n, generation] of [
      [6, 1],
      [10, 2],
    ] as const)
      await verdicts.record({
        model,
        environment: 'production',
        version: name(n),
        manifestSha256: ref(n).manifestSha256,
        generation,
        verdict: 'Successful',
        why: '',
        at: '',
      });
    await deps().pins.put({ model, version: name(5), actor: 'grace', reason: 'audit', at: '' });
    await store.putIfAbsent(bundleKey(model, name(15), 'pipeline.onnx'), json(1), 'application/json');
    for (const key of ['2025-01-01', '2025-01-02', '2025-01-03'])
      for (const file of ['fx_rates.json', 'fx_rates.result.json', 'fx_rates.version.json'])
        await store.putIfAbsent(`fraud/refresh/${model}/${key}/fxRates/${file}`, json(key), 'application/json');
    const written = Date.now();
    await vi.waitUntil(() => Date.now() - written > 1_100, 5_000);
    const run = await start('rollbackRelease', `rollback/${model}/x`, [name(7)]);
    await vi.waitUntil(async () => (await going()).every((one) => !one.includes(name(7))), 15_000);

    const before = await objects('fraud');
    const planned = await going();
    expect(planned.filter((one) => one.startsWith('bundle'))).toEqual(names(1, 8, 11, 12));
    expect(planned).toContain(`incomplete bundle ${name(15)}`);
    expect(planned.filter((one) => one.startsWith('refreshed'))).toEqual(['refreshed artifact 2025-01-01/fxRates']);
    expect(planned.filter((one) => one.startsWith('snapshot'))).toEqual(
      [1, 8, 11, 12].map((n) => `snapshot snap-${id(n)}`),
    );
    const why = Object.fromEntries((await planPrune(deps(), model, policy())).map((one) => [one.name, one.why]));
    expect(why[name(10)]).toEqual(['live in production']);
    expect(why[name(9)]).toEqual(['live in production before']);
    expect(why[name(4)]).toEqual(['parent of what is live in production']);
    expect(why[name(2)]).toEqual(['candidate in production']);
    expect(why[name(3)]).toEqual(['live in staging']);
    expect(why[name(6)]).toEqual(['where a rollback of production goes']);
    expect(why[name(5)]).toEqual(['pinned by grace: audit']);
    expect(why[name(7)]).toEqual([`held by rollback/${model}/x`]);
    expect(why[name(14)]).toEqual(['one of the newest 2']);
    expect(why['snap-07']).toEqual([`data of bundle ${name(7)}`]);
    expect(await objects('fraud')).toEqual(before);

    expect(deleted(await prune()).sort()).toEqual([...planned].sort());
    for (const n of [1, 8, 11, 12])
      expect((await objects('fraud/artifacts')).filter((key) => key.includes(name(n)))).toEqual([]);
    expect(await objects('fraud/claims')).toHaveLength(10);
    expect(await objects('fraud/pruned')).toEqual([]);
    expect(deleted(await prune())).toEqual([]);
    expect(await deps().pins.remove(model, name(5))).toBe(true);
    await run.terminate();
    await vi.waitUntil(async () => (await going()).includes(names(7)[0] as string), 15_000);
    expect((await going()).filter((one) => one.startsWith('bundle'))).toEqual(names(5, 7));
  });

  it('keeps what is young, and takes nothing at all where a pointer cannot be believed', async () => {
    await publishMany(4);
    await swap(4);
    const young = await planPrune(deps(), model, { keep: 1, olderThanDays: 30, now: '2025-01-20T00:00:00Z' });
    expect(young.every(({ goes }) => !goes)).toBe(true);
    const pointer = await store.get(pointerKey(model, 'production'));
    const broken = Buffer.from((pointer?.bytes.toString() ?? '').replace(name(4), name(3)));
    await store.putIfMatch(pointerKey(model, 'production'), broken, pointer?.etag ?? null);
    await expect(prune()).rejects.toThrow(/pointer of tiny\d+ in production is refused/);
    expect((await objects('fraud/artifacts')).filter((key) => key.endsWith(MANIFEST_FILE))).toHaveLength(4);
  });
});

describe('a bundle that somebody names in between', () => {
  it('stays: the pointers are read again before each deletion', async () => {
    await publishMany(6);
    await swap(6);
    let swapped = false;
    const result = await prune(
      whenever(async (method, key) => {
        if (swapped || method !== 'delete' || !key.includes(name(1))) return;
        swapped = true;
        await swap(3);
      }),
    );
    expect(result.spared).toEqual([{ kind: 'bundle', name: name(3), why: 'live in production' }]);
    expect(deleted(result).filter((one) => one.startsWith('bundle'))).toEqual(names(1, 2, 4));
    expect(await readManifest(store, trustedKeys, { model, ...ref(3) })).toMatchObject({ version: name(3) });
    expect(await objects('fraud/artifacts')).toContain(bundleKey(model, name(3), 'pipeline.onnx'));
  });

  it('is whole again when that was the very moment its manifest went', async () => {
    await publishMany(4);
    await swap(4);
    const result = await prune(
      whenever(async (method, key) => {
        if (method === 'copy' && key === bundleKey(model, name(2), MANIFEST_FILE)) await swap(2);
      }),
    );
    expect(result.spared).toEqual([{ kind: 'bundle', name: name(2), why: 'live in production' }]);
    expect(await readManifest(store, trustedKeys, { model, ...ref(2) })).toMatchObject({ version: name(2) });
    expect(await objects('fraud/pruned')).toEqual([]);
  });

  it('cannot be named once its manifest is gone', async () => {
    await publishMany(4);
    await swap(4);
    let refused: unknown = null;
    await prune(
      whenever(async (method, key) => {
        if (method === 'delete' && key === bundleKey(model, name(1), 'pipeline.onnx'))
          refused = await swap(1).catch((error: unknown) => error);
      }),
    );
    expect(refused).toMatchObject({ type: 'IntegrityError' });
    expect(await swapper().readPointer({ model, environment: 'production' })).toMatchObject({ version: name(4) });
  });
});

describe('what running workflows hold', () => {
  /** Nobody who has only the store and visibility can read what a workflow was given. */
  const sealed: PayloadCodec = {
    encode: (payloads) =>
      Promise.resolve(
        payloads.map(({ data }) => ({
          metadata: { encoding: Buffer.from('binary/sealed') },
          data: Buffer.from(data ?? []).map((byte) => byte ^ 0xa5),
        })),
      ),
    decode: () => Promise.reject(new Error('sealed')),
  };

  it('stays, also where their input cannot be read; one that holds nothing spares nothing', async () => {
    await publishOld(5);
    const through = new Client({
      connection: client.connection,
      namespace: client.options.namespace,
      dataConverter: { payloadCodecs: [sealed] },
    });
    const rollout = await start('rolloutBundle', `rollout/${model}/production`, [name(2), name(5)], through);
    const release = await start('releaseModel', `release/${model}/r`, [], through);
    await running(2);
    expect((await plannedBundles()).map(({ name: version, goes, why }) => [version, goes, why[0]])).toEqual([
      [name(1), true, undefined],
      [name(2), false, `held by rollout/${model}/production`],
      [name(3), true, undefined],
      [name(4), false, 'one of the newest 2'],
      [name(5), false, 'live in production'],
    ]);
    expect(goneBundles(await prune())).toEqual(names(1, 3));
    expect(await readManifest(store, trustedKeys, { model, ...ref(2) })).toMatchObject({ version: name(2) });
    await Promise.all([rollout.terminate(), release.terminate()]);
  });

  it('is every bundle where a run does not say: it began before runs did, or has not had its first turn', async () => {
    await publishOld(5);
    const silent = await start('rolloutBundle', `rollout/${model}/production`, null);
    const another = await start('rolloutBundle', `rollout/${model}-2/production`, null);
    await running(1);
    const why = `rollout/${model}/production is running and does not say which bundles it needs`;
    expect((await plannedBundles()).slice(0, 3).map((one) => [one.goes, one.why])).toEqual(
      [1, 2, 3].map(() => [false, [why]]),
    );
    expect(goneBundles(await prune())).toEqual([]);
    await silent.terminate();
    await running(0);
    expect(goneBundles(await prune())).toEqual(names(1, 2, 3));
    await another.terminate();
  });

  it('is asked again before each deletion', async () => {
    await publishOld(6);
    const started: WorkflowHandle[] = [];
    const result = await prune(
      whenever(async (method, key) => {
        if (started.length > 0 || method !== 'delete' || !key.includes(name(1))) return;
        started.push(await start('rolloutBundle', `rollout/${model}/production`, [name(3)]));
        await running(1);
      }),
    );
    expect(result.spared).toEqual([{ kind: 'bundle', name: name(3), why: `held by rollout/${model}/production` }]);
    expect(goneBundles(result)).toEqual(names(1, 2, 4));
    await Promise.all(started.map((one) => one.terminate()));
  });

  it('cannot be asked where the namespace lacks the attribute: nothing goes, and the command that adds it is named', async () => {
    const namespace = `bare-${Date.now()}`;
    await client.workflowService.registerNamespace({
      namespace,
      workflowExecutionRetentionPeriod: proto.google.protobuf.Duration.fromObject({ seconds: 24 * 3600 }),
    });
    const there = new Client({ connection: client.connection, namespace });
    const refusal = (attribute: string) =>
      vi.waitFor(
        async () => {
          const error: unknown = await openRuns(there, model).catch((reason: unknown) => reason);
          expect(error).toMatchObject({ type: 'InvalidInput' });
          expect(String(error)).toContain(
            `temporal operator search-attribute create --namespace ${namespace} --name ${attribute}`,
          );
        },
        { timeout: 30_000, interval: 500 },
      );
    await refusal('SluiceModel --type Keyword');
    const { INDEXED_VALUE_TYPE_KEYWORD: keyword } = proto.temporal.api.enums.v1.IndexedValueType;
    const { operatorService } = client.connection as Connection;
    await operatorService.addSearchAttributes({ namespace, searchAttributes: { [MODEL_ATTRIBUTE.name]: keyword } });
    await refusal('SluiceHolds --type KeywordList');
  });
});

describe('kill -9', () => {
  it('at any deletion: the next attempt ends with the same', async () => {
    await publishMany(5);
    await swap(5);
    const expected = await going();
    for (let survives = 1; ; survives += 2) {
      let left = survives;
      const dying = whenever(() => (left-- > 0 ? Promise.resolve() : Promise.reject(new Error('killed'))));
      const ended = await prune(dying).then(
        (result) => deleted(result),
        () => null,
      );
      if (ended !== null) break;
      const manifests = (await objects('fraud/artifacts')).filter((key) => key.endsWith(MANIFEST_FILE));
      expect(manifests).toEqual(expect.arrayContaining([4, 5].map((n) => bundleKey(model, name(n), MANIFEST_FILE))));
    }
    expect(expected.length).toBeGreaterThan(3);
    expect(await going()).toEqual([]);
    const left = [
      ...(await objects('fraud/artifacts')),
      ...(await objects('fraud/snapshots')),
      ...(await objects('fraud/pruned')),
      ...(await objects('fraud/claims')),
    ];
    expect(
      left.filter(
        (key) => ![name(4), name(5), 'snap-04', 'snap-05', 'current.json'].some((kept) => key.includes(kept)),
      ),
    ).toEqual([]);
  });

  it('with the manifest put aside, and a pointer swapped before that: the next attempt gives it back', async () => {
    await publishMany(4);
    await swap(4);
    const dying = whenever(async (method, key) => {
      if (method === 'copy' && key === bundleKey(model, name(1), MANIFEST_FILE)) await swap(1);
      if (method === 'delete' && key === bundleKey(model, name(1), MANIFEST_FILE)) {
        await store.delete(key);
        throw new Error('killed');
      }
    });
    await expect(prune(dying)).rejects.toThrow('killed');
    expect(await store.head(bundleKey(model, name(1), MANIFEST_FILE))).toBeNull();
    const result = await prune();
    expect(await readManifest(store, trustedKeys, { model, ...ref(1) })).toMatchObject({ version: name(1) });
    expect(deleted(result)).not.toContain(names(1)[0]);
  });
});
