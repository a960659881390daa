import { canonicalJson, sha256Hex } from '../../domain/bundle/digest.js';
import { BUNDLE_FILE, filesOfNewBundle, lookupVersionFile } from '../../domain/bundle/layout.js';
import { bundleKey } from '../../stores/keys.js';
import { BundleError, type ManifestInput } from '../../domain/bundle/manifest.js';
import { modelCard } from '../../domain/bundle/model-card.js';
import { nextSemver } from '../../domain/bundle/version.js';
import type { Lookups } from '../../domain/features/compile.js';
import type { BundleRef } from '../../domain/release/types.js';
import { SluiceError } from '../../platform/errors.js';
import { validate } from '../../platform/validate.js';
import type { BundleActivities } from './contract.js';
import type { BundleDeps } from './deps.js';
import { makeGoldenVectors, trainedGolden } from './golden.js';
import { chooseLookups } from './lookups.js';
import { claimVersion } from './publish.js';
import { fetchRunArtifacts, type RunArtifacts } from './run-artifacts.js';
import { sealBundle, type Enter } from './seal.js';
import { toRef } from './verify.js';

type ComposeInput = Parameters<BundleActivities['composeBundle']>[0];

/** A bundle around a newly trained model. */
export async function composeBundle(
  deps: BundleDeps,
  input: ComposeInput,
  signal: AbortSignal,
  enter: Enter,
): Promise<BundleRef & { rebasedLookups: string[] }> {
  const { store, mlflow, trustedKeys } = deps;
  const { model, releaseId, snapshot, base } = input;
  const { spec, registry, registrySha256, registryBytes, requestSchema, requestSchemaBytes, rulesBytes } =
    await deps.models.load(model, input.definition);
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
    canonicalJson(
      await makeGoldenVectors(
        deps,
        { models: artifacts, ...trainedGolden(artifacts), registry, lookups: documents, requestSchema },
        signal,
      ),
    );

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
  const published = await sealBundle(deps, spec, described, files, null, enter);
  const rebasedLookups = Object.entries(lookups).flatMap(([name, { rebased }]) => (rebased ? [name] : []));
  return { ...toRef(published), rebasedLookups };
}

function profileOf(artifacts: RunArtifacts): [string, Buffer][] {
  const bytes = artifacts[BUNDLE_FILE.profile];
  return bytes === undefined ? [] : [[BUNDLE_FILE.profile, bytes]];
}
