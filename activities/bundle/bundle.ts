import { canonicalJson, readableJson, sha256Hex } from '../../domain/bundle/digest.js';
import {
  BUNDLE_FILE,
  bundleExpectation,
  bundleKey,
  filesOfNewBundle,
  lookupVersionFile,
  MANIFEST_FILE,
  MANIFEST_PAYLOAD_TYPE,
  SIGNATURE_FILE,
} from '../../domain/bundle/layout.js';
import { loadBundle, type LoadedBundle } from '../../domain/bundle/load.js';
import { BundleError, buildManifest, type ManifestInput } from '../../domain/bundle/manifest.js';
import { modelCard } from '../../domain/bundle/model-card.js';
import { nextSemver } from '../../domain/bundle/version.js';
import { signEnvelope, type Signer, type TrustedKeys } from '../../domain/dsse/dsse.js';
import { compileFeatures, type Lookups } from '../../domain/features/compile.js';
import type { BundleRef } from '../../domain/release/types.js';
import { validateBundleDocument } from '../../platform/bundle-validator.js';
import { SluiceError } from '../../platform/errors.js';
import type { MlflowClient } from '../../platform/mlflow.js';
import type { LoadedModel } from '../../platform/models.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate } from '../../platform/validate.js';
import type { BundleActivities } from '../contract.js';
import { heartbeating } from '../heartbeat.js';
import { makeGoldenVectors, type ScoreRows } from './golden.js';
import { chooseLookups } from './lookups.js';
import { claimVersion, writeBundle } from './publish.js';
import { readBundleFile } from './read-manifest.js';
import { fetchRunArtifacts, type RunArtifacts } from './run-artifacts.js';

export interface BundleDeps {
  store: ObjectStore;
  mlflow: MlflowClient;
  signer: Signer;
  trustedKeys: TrustedKeys;
  loadModel: (model: string) => Promise<LoadedModel>;
  score: ScoreRows;
  /** for the few files that the trainer scores from */
  temporaryDir: string;
}

type ComposeInput = Parameters<BundleActivities['composeBundle']>[0];

export function createBundleActivities(deps: BundleDeps): BundleActivities {
  return {
    composeBundle: (input) => {
      let stage = 'read';
      return heartbeating(
        (signal) => composeBundle(deps, input, signal, (next) => (stage = next)),
        () => ({ stage }),
      );
    },
    verifyBundle: (input) => heartbeating(async () => toRef(await verifyPublished(deps, input))),
  };
}

async function composeBundle(
  deps: BundleDeps,
  input: ComposeInput,
  signal: AbortSignal,
  enter: (stage: string) => void,
): Promise<BundleRef & { rebasedLookups: string[] }> {
  const { store, mlflow, signer, trustedKeys } = deps;
  const { model, releaseId, snapshot, base } = input;
  const { spec, registry, registrySha256, registryBytes, requestSchema, requestSchemaBytes, rulesBytes } =
    await deps.loadModel(model);
  if (registrySha256 !== snapshot.featureRegistrySha256)
    throw new SluiceError(
      'Conflict',
      `The feature registry of ${model} was changed after snapshot ${snapshot.dataSnapshotId} was taken: start a new release.`,
    );

  const version = await claimVersion(
    store,
    {
      model,
      releaseId,
      createdAt: input.createdAt,
      gitSha: input.gitSha,
      semver: nextSemver(base?.version ?? null, spec.request_contract, 'model'),
    },
    sha256Hex(canonicalJson(input)),
  );
  const artifacts = await fetchRunArtifacts(mlflow, input.runId, input.artifacts);
  const lookups = await chooseLookups(
    store,
    trustedKeys,
    { model, snapshotPrefix: snapshot.prefix, base },
    spec.lookups,
  );
  const documents = Object.fromEntries(
    Object.entries(lookups).map(([name, { document }]) => [name, document]),
  ) as Lookups;

  enter('golden vectors');
  // Scores may differ in their last bits from one machine to the next, so a retry keeps what the first attempt wrote.
  const golden =
    (await store.get(bundleKey(model, version, BUNDLE_FILE.golden)))?.bytes ??
    canonicalJson(await makeGoldenVectors(deps, { artifacts, registry, lookups: documents, requestSchema }, signal));

  const described: ManifestInput = {
    model,
    version,
    releaseId,
    modelVersion: input.modelVersion,
    runId: input.runId,
    gitSha: input.gitSha,
    trainedAt: input.trainedAt,
    asOf: snapshot.asOf,
    dataSnapshotId: snapshot.dataSnapshotId,
    metrics: input.metrics,
    parentVersion: base?.version ?? null,
  };
  const card = modelCard({
    manifest: described,
    spec,
    registry,
    thresholds: validate(
      'per-category-thresholds',
      JSON.parse(artifacts[BUNDLE_FILE.thresholds].toString('utf8')),
      BUNDLE_FILE.thresholds,
    ),
    data: snapshot,
    lookups,
  });
  const files = new Map<string, Buffer>([
    [BUNDLE_FILE.pipeline, artifacts[BUNDLE_FILE.pipeline]],
    [BUNDLE_FILE.anomaly, artifacts[BUNDLE_FILE.anomaly]],
    [BUNDLE_FILE.isotonic, artifacts[BUNDLE_FILE.isotonic]],
    [BUNDLE_FILE.thresholds, artifacts[BUNDLE_FILE.thresholds]],
    [BUNDLE_FILE.rules, rulesBytes],
    [BUNDLE_FILE.requestSchema, requestSchemaBytes],
    [BUNDLE_FILE.featureRegistry, registryBytes],
    [BUNDLE_FILE.golden, golden],
    [BUNDLE_FILE.modelCard, Buffer.from(card, 'utf8')],
    ...profileOf(artifacts),
    ...Object.values(lookups).flatMap(({ file, bytes, madeBytes }): [string, Buffer][] => [
      [file, bytes],
      [lookupVersionFile(file), madeBytes],
    ]),
  ]);
  const missing = filesOfNewBundle(spec).filter((name) => !files.has(name));
  if (missing.length > 0)
    throw new BundleError(`the spec's bundle_files ask for ${missing.join(', ')}, which nothing here makes`);
  const manifest = buildManifest(described, files);
  const signature = readableJson(signEnvelope(MANIFEST_PAYLOAD_TYPE, manifest.bytes, signer));

  enter('check');
  // Nothing that would be refused on the way back is ever written.
  const bytesOf = new Map([...files, [MANIFEST_FILE, manifest.bytes], [SIGNATURE_FILE, signature]]);
  const target = { model, version, manifestSha256: manifest.sha256 };
  await load(deps, target, spec, (name) => Promise.resolve(bytesOf.get(name) as Buffer));
  enter('write');
  await writeBundle(store, target, files, { bytes: manifest.bytes, signature });
  enter('read back');
  const published = await verifyPublished(deps, target);
  const rebasedLookups = Object.entries(lookups).flatMap(([name, { rebased }]) => (rebased ? [name] : []));
  return { ...toRef(published), rebasedLookups };
}

function profileOf(artifacts: RunArtifacts): [string, Buffer][] {
  const bytes = artifacts[BUNDLE_FILE.profile];
  return bytes === undefined ? [] : [[BUNDLE_FILE.profile, bytes]];
}

interface Target {
  model: string;
  version: string;
  manifestSha256: string;
}

/** Reads a published bundle back, every byte, and checks that nothing else lies beside it and that its parts work together. */
async function verifyPublished(deps: BundleDeps, target: Target): Promise<LoadedBundle> {
  const { spec } = await deps.loadModel(target.model);
  const bundle = await load(deps, target, spec, (name) => readBundleFile(deps.store, target, name));
  const prefix = bundleKey(target.model, target.version, '');
  const known = new Set([...bundle.files.keys(), MANIFEST_FILE, SIGNATURE_FILE]);
  const extra = (await deps.store.list(prefix))
    .map(({ key }) => key.slice(prefix.length))
    .filter((name) => !known.has(name));
  if (extra.length > 0)
    throw new BundleError(
      `bundle ${target.model}/${target.version}: ${extra.join(', ')} lies beside it, and its manifest does not know it`,
    );
  return bundle;
}

async function load(
  deps: BundleDeps,
  target: Target,
  spec: LoadedModel['spec'],
  read: (name: string) => Promise<Buffer>,
): Promise<LoadedBundle> {
  const bundle = await loadBundle(read, {
    ...target,
    trustedKeys: deps.trustedKeys,
    expected: bundleExpectation(spec),
    validate: validateBundleDocument,
  });
  compileFeatures(bundle.featureRegistry, bundle.lookups);
  return bundle;
}

function toRef({ manifest, manifestSha256 }: LoadedBundle): BundleRef {
  return {
    model: manifest.model_name,
    version: manifest.version,
    manifestSha256,
    contentSha256: manifest.content_sha256,
    onnxSha256: manifest.onnx_sha256,
    parentVersion: manifest.parent_version,
    modelVersion: manifest.model_version,
    asOf: manifest.as_of,
  };
}
