import { randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createBundleActivities, type BundleDeps } from '../../activities/bundle/bundle.js';
import type { BundleActivities } from '../../activities/bundle/contract.js';
import type { RecomposeActivities, Replacement } from '../../activities/bundle/contract.js';
import { readableJson, sha256Hex } from '../../domain/bundle/digest.js';
import { bundleKey } from '../../stores/keys.js';
import { filesOfNewBundle } from '../../domain/bundle/layout.js';
import { parseBundleVersion } from '../../domain/bundle/version.js';
import { compileFeatures } from '../../domain/features/compile.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import { createMlflowClient, type MlflowClient } from '../../platform/mlflow.js';
import { loadModel, type LoadedModel } from '../../platform/models.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import type { ArtifactVersion, GoldenVectors, Manifest } from '../../schemas/types.js';
import { recomposeContract, recomposeLookupsContract } from '../contracts/recompose.contract.js';
import { testSigner } from '../support/live-tiny-bundle.js';
import { createRun, putArtifact } from '../support/mlflow-run.js';
import { scoreRows } from '../support/score-rows.js';
import { testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';
import {
  makeTinyBundle,
  TINY_MODEL,
  tinyProfile,
  tinyRegistry,
  tinySpec,
  type TinyBundle,
} from '../support/tiny-bundle.js';
import type { BundleId } from '../../domain/bundle/id.js';

type Compose = Parameters<BundleActivities['composeBundle']>[0];

const { signer, trustedKeys } = testSigner();
let stack: SharedServers;
let store: ObjectStore;
let mlflow: MlflowClient;
let tiny: TinyBundle;
let model: LoadedModel;
let runFiles: Map<string, Buffer>;
let runId: string;

beforeAll(async () => {
  stack = await useServers(['s3', 'mlflow']);
  mlflow = createMlflowClient(stack.env['MLFLOW_TRACKING_URI'] as string);
  tiny = await makeTinyBundle({ signer });
  model = await tinyModel();
  runFiles = new Map(
    ['pipeline.onnx', 'if_pipe.onnx', 'isotonic.json', 'per_category_thresholds.json'].map((name) => [
      `bundle/${name}`,
      file(name),
    ]),
  );
  runFiles.set('bundle/golden_features.json', goldenFeatures());
  runId = await createRun(stack.env['MLFLOW_TRACKING_URI'] as string, runFiles);
});

const file = (name: string): Buffer => tiny.files.get(name) as Buffer;

/** The tiny model's parts as a model folder would give them. */
async function tinyModel(): Promise<LoadedModel> {
  const real = await loadModel(projectPath('models'), 'ulb_gbdt');
  return {
    ...real,
    spec: { ...real.spec, ...tinySpec, model: TINY_MODEL, description: 'A tiny | model', owner: 'tests' },
    registry: tinyRegistry,
    registryBytes: file('feature_registry.json'),
    registrySha256: sha256Hex(file('feature_registry.json')),
    requestSchema: JSON.parse(file('request_schema.json').toString()) as Record<string, unknown>,
    requestSchemaBytes: file('request_schema.json'),
    rulesBytes: file('rule_params.json'),
    staticLookups: {},
  };
}

/** What training would have left: the tiny bundle's vectors with their transactions. */
function goldenFeatures(): Buffer {
  const golden = JSON.parse(file('golden_vectors.json').toString()) as GoldenVectors;
  const rows = golden.raw.map(({ transaction, ...vector }, i) => ({
    row_id: `row-${i}`,
    raw: { ...transaction, merchant_name: 'Bakery' },
    ...vector,
  }));
  return readableJson({ feature_names: golden.feature_names, rows });
}

/** A bucket of its own for each test, with a snapshot's lookups in it. */
beforeEach(async () => {
  store = await testStore(stack.env, { bucket: `bundle-${randomUUID()}` });
  await store.ensureBucket();
  return () => store.close();
});

async function snapshot(asOf = '2025-06-30T00:00:00.000Z', eurRate = 1.15): Promise<SnapshotRef> {
  const prefix = `fraud/snapshots/tiny/${randomUUID()}/`;
  const source = eurRate === 1.15 ? tiny : await makeTinyBundle({ signer, eurRate });
  for (const [name, { file: lookup }] of Object.entries(tinySpec.lookups)) {
    const bytes = source.files.get(lookup) as Buffer;
    const made: ArtifactVersion = {
      artifact: name,
      version: asOf.slice(0, 10),
      sha256: sha256Hex(bytes),
      as_of: asOf,
      window: { from: '2025-04-01T00:00:00Z', to: asOf },
      rows: 10,
      created_at: '2025-06-30T12:00:00Z',
      inputs: {},
    };
    await store.putIfAbsent(`${prefix}lookups/${lookup}`, bytes, 'application/json');
    await store.putIfAbsent(
      `${prefix}lookups/${lookup.replace('.json', '.version.json')}`,
      readableJson(made),
      'application/json',
    );
  }
  return {
    dataSnapshotId: `snapshot-${asOf}`,
    prefix,
    parquetKey: `${prefix}snapshot.parquet`,
    contentSha256: '0'.repeat(64),
    asOf,
    from: '2025-01-01',
    to: '2025-05-31',
    rows: 100,
    positives: 2,
    splits: { train: 65, validation: 15, test: 20 },
    featureNames: tinyRegistry.features.map(({ name }) => name),
    featureRegistrySha256: model.registrySha256,
  };
}

const compose = async (changes: Partial<Compose> = {}): Promise<Compose> => ({
  model: TINY_MODEL,
  releaseId: 'r1',
  runId,
  modelVersion: '1',
  snapshot: changes.snapshot ?? (await snapshot()),
  artifacts: Object.fromEntries(
    [...runFiles].map(([path, bytes]) => [path, { sha256: sha256Hex(bytes), bytes: bytes.length }]),
  ),
  trainedAt: '2025-06-30T11:00:00.000Z',
  gitSha: '0a1b2c3d4e5f60718293a4b5c6d7e8f901234567',
  metrics: { auc_pr: 0.79, recall: null },
  base: null,
  createdAt: '2025-06-30T12:00:00.123Z',
  ...changes,
});

const activities = (changes: Partial<BundleDeps> = {}): BundleActivities & RecomposeActivities =>
  createBundleActivities({
    store,
    mlflow,
    signer,
    trustedKeys,
    models: { load: () => Promise.resolve(model) },
    score: scoreRows,
    temporaryDir: tmpdir(),
    ...changes,
  });
const environment = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
const run = (input: Compose, changes?: Partial<BundleDeps>): ReturnType<BundleActivities['composeBundle']> =>
  environment().run(activities(changes).composeBundle, input);
const verify = (ref: BundleId, changes?: Partial<BundleDeps>): ReturnType<BundleActivities['verifyBundle']> =>
  environment().run(activities(changes).verifyBundle, { model: TINY_MODEL, ...ref });
const keysOf = async (version: string) =>
  (await store.list(bundleKey(TINY_MODEL, version, ''))).map(({ key }) => key.split('/').at(-1) as string);

describe('composing a bundle', () => {
  it('publishes every file of the spec, signed, and verifies it', async () => {
    const input = await compose();
    const ref = await run(input);
    expect(ref).toMatchObject({
      version: '20250630-120000-1.0.0-0a1b2c3',
      parentVersion: null,
      modelVersion: '1',
      asOf: input.snapshot.asOf,
      onnxSha256: sha256Hex(file('pipeline.onnx')),
      rebasedLookups: [],
    });
    expect(await keysOf(ref.version)).toEqual([...filesOfNewBundle(tinySpec), 'manifest.json', 'manifest.sig'].sort());
    expect({ ...(await verify(ref)), rebasedLookups: [] }).toEqual(ref);

    const golden = JSON.parse(
      (await store.get(bundleKey(TINY_MODEL, ref.version, 'golden_vectors.json')))?.bytes.toString() ?? '',
    ) as GoldenVectors;
    expect(golden.features).toHaveLength(8);
    expect(golden.raw).toHaveLength(8);
    expect(golden.raw[1]?.transaction).toMatchObject({ transaction_id: 'g-1', merchant_name: 'Bakery' });
    const card = (await store.get(bundleKey(TINY_MODEL, ref.version, 'model_card.md')))?.bytes.toString();
    expect(card).toContain('A tiny \\| model');
    expect(card).toContain('| auc\\_pr | 0.79 |');
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('sluice-golden-'))).toEqual([]);
  });

  it('says the same again, whenever its worker was killed', async () => {
    const input = await compose();
    const reference = await run(input);
    const etags = await store.list('fraud/artifacts/');
    expect(await run(input)).toEqual(reference);
    expect(await store.list('fraud/artifacts/')).toEqual(etags);

    for (const writes of [0, 1, 2, 9, 18, 19]) {
      const again = {
        ...input,
        releaseId: `killed-after-${writes}`,
        createdAt: `2025-06-30T13:00:${String(writes).padStart(2, '0')}.000Z`,
      };
      let left = writes;
      const dying: ObjectStore = {
        ...store,
        putIfAbsent: async (...args) => {
          const outcome = await store.putIfAbsent(...args);
          if (left-- === 0) throw new Error('killed');
          return outcome;
        },
      };
      await expect(run(again, { store: dying })).rejects.toThrow('killed');
      const manifestThere = (await store.list('fraud/artifacts/')).filter(({ key }) =>
        key.endsWith('manifest.json'),
      ).length;
      const ref = await run(again);
      expect(ref.contentSha256).toBe(reference.contentSha256);
      expect(
        (await store.list('fraud/artifacts/')).filter(({ key }) => key.endsWith('manifest.json')).length -
          manifestThere,
      ).toBe(writes === 19 ? 0 : 1);
      expect(await verify(ref)).toMatchObject({ version: ref.version });
    }
  });

  it('keeps the golden vectors of the first attempt when another machine scores differently in the last bits', async () => {
    const input = await compose();
    let left = 12;
    const dying: ObjectStore = {
      ...store,
      putIfAbsent: async (...args) => {
        const outcome = await store.putIfAbsent(...args);
        if (left-- === 0) throw new Error('killed');
        return outcome;
      },
    };
    await expect(run(input, { store: dying })).rejects.toThrow('killed');
    const score = vi.fn(scoreRows);
    const ref = await run(input, { score });
    expect(score).not.toHaveBeenCalled();
    expect(await verify(ref)).toMatchObject({ version: ref.version });
  });

  it('gives two releases of the same second each a name of its own', async () => {
    const inputs = await Promise.all([1, 2, 3].map((i) => compose({ releaseId: `r${i}`, modelVersion: String(i) })));
    const refs = await Promise.all(inputs.map((input) => run(input)));
    expect(new Set(refs.map(({ version }) => version)).size).toBe(3);
    expect(await Promise.all(inputs.map((input) => run(input)))).toEqual(refs);
    for (const ref of refs) expect(await verify(ref)).toMatchObject({ version: ref.version });
  });

  it('takes over what is newer in the live bundle, lookup by lookup, and nothing older', async () => {
    const base = await run(await compose({ snapshot: await snapshot('2025-06-30T00:00:00.000Z', 1.3) }));
    const older = await run(
      await compose({
        snapshot: await snapshot('2025-06-29T00:00:00.000Z'),
        base,
        releaseId: 'r2',
        createdAt: '2025-06-30T14:00:00Z',
      }),
    );
    expect(older.rebasedLookups.sort()).toEqual(['kinds', 'merchants', 'rates', 'stats']);
    expect(older.parentVersion).toBe(base.version);
    expect(parseBundleVersion(older.version)).toMatchObject({ major: 1, minor: 1, patch: 0 });
    const rates = (version: string) =>
      store.get(bundleKey(TINY_MODEL, version, 'rates.json')).then((object) => object?.bytes.toString());
    expect(await rates(older.version)).toBe(await rates(base.version));
    expect((await store.get(bundleKey(TINY_MODEL, older.version, 'model_card.md')))?.bytes.toString()).toContain(
      'the bundle that was live',
    );

    const newer = await run(
      await compose({
        snapshot: await snapshot('2025-07-01T00:00:00.000Z'),
        base,
        releaseId: 'r3',
        createdAt: '2025-06-30T15:00:00Z',
      }),
    );
    expect(newer.rebasedLookups).toEqual([]);
    expect(await rates(newer.version)).not.toBe(await rates(base.version));
    const goldenOf = async (version: string) =>
      JSON.parse(
        (await store.get(bundleKey(TINY_MODEL, version, 'golden_vectors.json')))?.bytes.toString() ?? '',
      ) as GoldenVectors;
    const [a, b] = [await goldenOf(older.version), await goldenOf(newer.version)];
    expect(a.features, "training's own layer is the same").toEqual(b.features);
    expect(a.raw, 'the raw layer follows the lookups').not.toEqual(b.raw);
  });
});

describe('the reference profile', () => {
  it('goes into a bundle when the run reported it, and must where the spec lists it', async () => {
    const spec = { ...model.spec, bundle_files: [...model.spec.bundle_files, 'reference_profile.json'] };
    const demanding = { models: { load: () => Promise.resolve({ ...model, spec }) } };
    await expect(run(await compose(), demanding)).rejects.toThrow(/bundle_files ask for reference_profile\.json/);

    const files = new Map([...runFiles, ['bundle/reference_profile.json', readableJson(tinyProfile)]]);
    const withProfile = await compose({
      runId: await createRun(stack.env['MLFLOW_TRACKING_URI'] as string, files),
      artifacts: Object.fromEntries(
        [...files].map(([path, bytes]) => [path, { sha256: sha256Hex(bytes), bytes: bytes.length }]),
      ),
    });
    const ref = await run(withProfile, demanding);
    expect(await keysOf(ref.version)).toContain('reference_profile.json');
    expect(await verify(ref), 'also to a scorer whose spec does not list it yet').toMatchObject({
      version: ref.version,
    });
    const without = await run(await compose({ releaseId: 'r2', createdAt: '2025-06-30T16:00:00Z' }));
    expect(without.contentSha256, 'it does not decide a score').toBe(ref.contentSha256);
    expect(await verify(without, demanding), 'a bundle of before stays loadable').toMatchObject({
      version: without.version,
    });
  });
});

describe('what may not be composed', () => {
  const nothingPublished = async () => expect((await store.list('fraud/artifacts/')).map(({ key }) => key)).toEqual([]);

  it('artifacts that are not what training reported', async () => {
    const uri = stack.env['MLFLOW_TRACKING_URI'] as string;
    const changed = await createRun(uri, runFiles);
    const { experimentId } = await mlflow.getRun(changed);
    await putArtifact(uri, experimentId, changed, 'bundle/isotonic.json', Buffer.from('{"x":[0,1],"y":[0,1]}'));
    await expect(run(await compose({ runId: changed }))).rejects.toMatchObject({
      type: 'IntegrityError',
      message: expect.stringContaining('bundle/isotonic.json'),
    });
    await nothingPublished();
    await expect(run(await compose({ artifacts: {} }))).rejects.toThrow('reported no bundle/pipeline.onnx');
  });

  it('models that do not score as training did', async () => {
    await expect(
      run(await compose(), {
        score: async (...args) => ({ ...(await scoreRows(...args)), anomaly: Array<number>(16).fill(9) }),
      }),
    ).rejects.toThrow('not the models that were trained');
    await nothingPublished();
  });

  it('a registry other than the snapshot was made with, and a snapshot without its lookups', async () => {
    const other = { ...(await snapshot()), featureRegistrySha256: 'f'.repeat(64) };
    await expect(run(await compose({ snapshot: other }))).rejects.toMatchObject({ type: 'Conflict' });
    const empty = { ...(await snapshot()), prefix: 'fraud/snapshots/none/' };
    await expect(run(await compose({ snapshot: empty }))).rejects.toMatchObject({
      type: 'IntegrityError',
      message: expect.stringContaining('lookups/kinds.json'),
    });
    await nothingPublished();
  });

  it('a lookup beside another version record', async () => {
    const one = await snapshot();
    const key = `${one.prefix}lookups/rates.json`;
    await store.putIfMatch(key, Buffer.from('{}'), (await store.head(key))?.etag ?? null);
    await expect(run(await compose({ snapshot: one }))).rejects.toThrow(
      /rates\.version\.json of the snapshot describes another/,
    );
    await nothingPublished();
  });

  it('over an object that was written by someone else', async () => {
    const input = await compose();
    await store.putIfAbsent(
      bundleKey(TINY_MODEL, '20250630-120000-1.0.0-0a1b2c3', 'pipeline.onnx'),
      Buffer.from('mine'),
      'text/plain',
    );
    await expect(run(input)).rejects.toMatchObject({
      type: 'IntegrityError',
      message: expect.stringContaining('written before with other content'),
    });
  });
});

describe('recomposing the live bundle', () => {
  type Recompose = Parameters<RecomposeActivities['recomposeBundle']>[0];
  const recompose = (
    input: Recompose,
    changes?: Partial<BundleDeps>,
  ): ReturnType<RecomposeActivities['recomposeBundle']> =>
    environment().run(activities(changes).recomposeBundle, input);
  const base = async () => run(await compose());
  const change = (
    { version, manifestSha256 }: BundleId,
    replacements: Replacement[],
    releaseId = 'refresh-2025-07-01',
  ): Recompose => ({
    model: TINY_MODEL,
    releaseId,
    base: { version, manifestSha256 },
    replacements,
    gitSha: 'f'.repeat(40),
    createdAt: '2025-07-01T01:00:00.000Z',
  });
  const get = async (version: string, name: string): Promise<Buffer> =>
    (await store.get(bundleKey(TINY_MODEL, version, name)))?.bytes as Buffer;
  const json = async <T>(version: string, name: string) => JSON.parse((await get(version, name)).toString()) as T;

  /** Every lookup of another night, as the jobs leave them; the rates differ, the rest is as it was. */
  async function night(asOf: string, eurRate = 1.3): Promise<Replacement[]> {
    const { prefix } = await snapshot(asOf, eurRate);
    return Promise.all(
      Object.values(tinySpec.lookups).map(async ({ file: name }) => {
        const objectKey = `${prefix}lookups/${name}`;
        const versionKey = objectKey.replace('.json', '.version.json');
        return { file: name, objectKey, versionKey, sha256: sha256Hex((await store.get(objectKey))?.bytes as Buffer) };
      }),
    );
  }

  it('copies what stays, takes what changed, answers the golden transactions anew; a retry writes the same', async () => {
    const live = await base();
    const input = change(live, await night('2025-07-01T00:00:00.000Z'));
    const put: string[] = [];
    const copied: string[] = [];
    const watched: ObjectStore = {
      ...store,
      putIfAbsent: (key, ...rest) => (put.push(key.split('/').at(-1) as string), store.putIfAbsent(key, ...rest)),
      copy: (from, to) => (copied.push(to.split('/').at(-1) as string), store.copy(from, to)),
    };
    const { bundle, replaced, kept } = await recompose(input, { store: watched });
    expect(replaced).toEqual(['rates.json']);
    expect(kept.map(({ file: name, why }) => `${name}: ${why}`).sort()).toEqual(
      ['kinds', 'merchants', 'stats'].map((name) => `${name}.json: the live one has the same content`),
    );
    if (bundle === null) return expect.fail('there is a new bundle');
    expect(bundle).toMatchObject({
      version: '20250701-010000-1.0.1-fffffff',
      parentVersion: live.version,
      modelVersion: '1',
      asOf: live.asOf,
      onnxSha256: live.onnxSha256,
    });
    expect(put.slice(1).sort()).toEqual(
      [
        'rates.json',
        'rates.version.json',
        'golden_vectors.json',
        'model_card.md',
        'manifest.sig',
        'manifest.json',
      ].sort(),
    );
    expect(copied.sort()).toEqual(
      filesOfNewBundle(tinySpec)
        .filter((name) => !put.includes(name))
        .sort(),
    );
    const { version: _v, files: _f, content_sha256: _c, ...was } = await json<Manifest>(live.version, 'manifest.json');
    expect(await json(bundle.version, 'manifest.json')).toMatchObject({
      ...was,
      parent_version: live.version,
      release_id: 'refresh-2025-07-01',
      git_sha: 'f'.repeat(40),
    });
    const [before, after] = await Promise.all(
      [live, bundle].map(({ version }) => json<GoldenVectors>(version, 'golden_vectors.json')),
    );
    expect(after?.features).toEqual(before?.features);
    expect(after?.raw.map(({ transaction }) => transaction)).toEqual(before?.raw.map(({ transaction }) => transaction));
    const expected = compileFeatures(tinyRegistry, {
      ...Object.fromEntries(
        Object.entries(tinySpec.lookups).map(([name, { file: f }]) => [name, JSON.parse(file(f).toString())]),
      ),
      rates: await json(bundle.version, 'rates.json'),
    });
    for (const { transaction, features } of after?.raw ?? [])
      expect(features).toEqual([...expected.compute(transaction as Record<string, unknown>).values]);
    expect(after?.raw).not.toEqual(before?.raw);
    const card = (await get(bundle.version, 'model_card.md')).toString();
    expect(card.split('\n')[0]?.replaceAll('\\', '')).toBe('# tiny 20250701-010000-1.0.1-fffffff');
    expect(card).toContain('A tiny \\| model');
    expect(card).toMatch(/\| rates \| 2025-07-01 \|.*\| this change \|/);
    expect(card).toMatch(/\| kinds \| 2025-06-30 \|.*\| the bundle before \|/);
    expect(card.match(/## Lookups/g)).toHaveLength(1);
    expect(card).toContain('| auc\\_pr | 0.79 |');

    const etags = await store.list('fraud/artifacts/');
    expect(await recompose(input)).toEqual({ bundle, replaced, kept });
    expect(await store.list('fraud/artifacts/')).toEqual(etags);

    // and a change on top of the change: the patch rises, the card still says of the model what its release said
    const second = await recompose(change(bundle, await night('2025-07-02T00:00:00.000Z', 1.4), 'refresh-2025-07-02'));
    expect(parseBundleVersion(second.bundle?.version as string)).toMatchObject({ major: 1, minor: 0, patch: 2 });
    const next = (await get(second.bundle?.version as string, 'model_card.md')).toString();
    expect(next.match(/^## .*/gm)?.sort()).toEqual(card.match(/^## .*/gm)?.sort());
  });

  it('is finished by whoever comes after a killed worker', async () => {
    const live = await base();
    const replacements = await night('2025-07-01T00:00:00.000Z');
    for (const calls of [0, 1, 4, 9, 15, 19]) {
      const input = {
        ...change(live, replacements),
        createdAt: `2025-07-01T02:00:${String(calls).padStart(2, '0')}.000Z`,
      };
      let left = calls;
      const dying = async <T>(work: Promise<T>): Promise<T> => {
        const outcome = await work;
        if (left-- === 0) throw new Error('killed');
        return outcome;
      };
      const killed: ObjectStore = {
        ...store,
        putIfAbsent: (...args) => dying(store.putIfAbsent(...args)),
        copy: (...args) => dying(store.copy(...args)),
      };
      await expect(recompose(input, { store: killed })).rejects.toThrow('killed');
      const { bundle } = await recompose(input);
      expect(await verify(bundle as BundleId)).toEqual(bundle);
    }
  });

  it('leaves newer lookups alone, and makes no bundle where nothing is left to change', async () => {
    const live = await base();
    const before = await store.list('fraud/');
    const older = await recompose(change(live, (await night('2025-06-29T00:00:00.000Z')).slice(-1)));
    expect(older).toMatchObject({
      bundle: null,
      replaced: [],
      kept: [
        { file: 'rates.json', state: 'older', why: expect.stringContaining('the live one is newer (as of 2025-06-30') },
      ],
    });
    expect(await recompose(change(live, []))).toEqual({ bundle: null, replaced: [], kept: [] });
    expect((await store.list('fraud/')).filter(({ key }) => !key.includes('/snapshots/'))).toEqual(
      before.filter(({ key }) => !key.includes('/snapshots/')),
    );
  });

  const world = async (
    put: (asOf: string, content: number) => Promise<Replacement>,
  ): ReturnType<Parameters<typeof recomposeContract>[0]> => ({
    activities: { recomposeBundle: (input) => recompose(input) },
    model: TINY_MODEL,
    live: await base(),
    store: put,
  });

  describe('of lookups, as every recomposition', () => {
    const lookups = () => world(async (asOf, content) => (await night(asOf, 1 + content / 10)).at(-1) as Replacement);
    recomposeContract(lookups);
    recomposeLookupsContract(lookups);
  });

  describe('of thresholds, as every recomposition', () => {
    recomposeContract(() =>
      world(async (_asOf, content) => {
        const bytes = readableJson({ operating: { threshold: content / 10, per_category: {} }, budgets: {} });
        const objectKey = `fraud/thresholds/${content}.json`;
        await store.putIfAbsent(objectKey, bytes, 'application/json');
        return { file: 'per_category_thresholds.json', objectKey, sha256: sha256Hex(bytes), versionKey: null };
      }),
    );
  });

  it('replaces thresholds, whose golden vectors stay', async () => {
    const live = await base();
    const bytes = readableJson({ operating: { threshold: 0.6, per_category: { atm: 0.7 } }, budgets: {} });
    await store.putIfAbsent('fraud/thresholds/t.json', bytes, 'application/json');
    const replacement = {
      file: 'per_category_thresholds.json',
      objectKey: 'fraud/thresholds/t.json',
      sha256: sha256Hex(bytes),
      versionKey: null,
    };
    const score = vi.fn(scoreRows);
    const { bundle } = await recompose(change(live, [replacement]), { score });
    expect(score).not.toHaveBeenCalled();
    const version = bundle?.version as string;
    expect(await get(version, 'per_category_thresholds.json')).toEqual(bytes);
    expect(await get(version, 'golden_vectors.json')).toEqual(await get(live.version, 'golden_vectors.json'));
    expect((await get(version, 'model_card.md')).toString()).toContain('An alert is raised at 0.6 and above');
    await expect(recompose(change(live, [{ ...replacement, sha256: '0'.repeat(64) }]))).rejects.toThrow(
      'as it was announced',
    );
    await expect(recompose(change(live, [{ ...replacement, objectKey: 'none' }]))).rejects.toThrow('is missing');
    await expect(recompose(change(live, [{ ...replacement, file: 'pipeline.onnx' }]))).rejects.toThrow(
      'cannot be replaced',
    );
    await expect(recompose(change(live, [replacement, replacement]))).rejects.toThrow('replaced twice');
    await expect(recompose(change(live, [{ ...replacement, file: 'rates.json' }]))).rejects.toThrow(
      /rates\.json.*base_currency/,
    );
  });
});

describe('verifying a bundle', () => {
  const overwrite = async (version: string, name: string, change: (bytes: Buffer) => Buffer) => {
    const key = bundleKey(TINY_MODEL, version, name);
    const { bytes, etag } = (await store.get(key)) as { bytes: Buffer; etag: string };
    expect(await store.putIfMatch(key, change(bytes), etag)).toMatchObject({ outcome: 'swapped' });
  };

  it.each(['pipeline.onnx', 'rates.json', 'golden_vectors.json', 'model_card.md', 'manifest.json', 'manifest.sig'])(
    'refuses a changed %s',
    async (name) => {
      const ref = await run(await compose());
      await overwrite(ref.version, name, (bytes) => {
        const changed = Buffer.from(bytes);
        changed[changed.length >> 1] = (changed[changed.length >> 1] ?? 0) ^ 1;
        return changed;
      });
      await expect(verify(ref)).rejects.toMatchObject({
        name: 'IntegrityError',
        message: expect.stringContaining(ref.version),
      });
    },
  );

  it('refuses a missing file, a surplus one, a stranger as its signer', async () => {
    const ref = await run(await compose());
    const without: ObjectStore = {
      ...store,
      get: (key) => (key.endsWith('/rates.json') ? Promise.resolve(null) : store.get(key)),
    };
    await expect(verify(ref, { store: without })).rejects.toMatchObject({
      type: 'IntegrityError',
      message: expect.stringContaining('lacks rates.json'),
    });
    await expect(verify(ref, { trustedKeys: testSigner().trustedKeys })).rejects.toThrow(/signature/);
    await expect(verify({ ...ref, manifestSha256: 'f'.repeat(64) })).rejects.toThrow(/digest/);
    await store.putIfAbsent(bundleKey(TINY_MODEL, ref.version, 'model.pkl'), Buffer.from('x'), 'text/plain');
    await expect(verify(ref)).rejects.toThrow('model.pkl lies beside it');
  });
});
