import { canonicalJson, sha256Hex } from '../../domain/bundle/digest.js';
import { fromGoldenVectors } from '../../domain/bundle/golden.js';
import { BUNDLE_FILE, lookupVersionFile } from '../../domain/bundle/layout.js';
import { bundleKey } from '../../stores/keys.js';
import type { LoadedBundle } from '../../domain/bundle/load.js';
import type { ManifestInput } from '../../domain/bundle/manifest.js';
import { refreshedCard } from '../../domain/bundle/refreshed-card.js';
import { nextSemver, parseBundleVersion } from '../../domain/bundle/version.js';
import type { ModelSpec, PerCategoryThresholds } from '../../schemas/types.js';
import type { RecomposeActivities } from './contract.js';
import type { BundleDeps } from './deps.js';
import { makeGoldenVectors } from './golden.js';
import { claimVersion } from './publish.js';
import { readReplacements, type ReadReplacement } from './replacements.js';
import { sealBundle, type Enter } from './seal.js';
import { loadPublished, toRef } from './verify.js';

type Recompose = RecomposeActivities['recomposeBundle'];
type RecomposeInput = Parameters<Recompose>[0];

/**
 * The same model with other artifacts. Everything comes from the base bundle itself, also its feature registry and request schema: what
 * the models folder says today is the next release's.
 */
export async function recomposeBundle(
  deps: BundleDeps,
  input: RecomposeInput,
  signal: AbortSignal,
  enter: Enter,
): ReturnType<Recompose> {
  const { store } = deps;
  const { model } = input;
  const { spec } = await deps.models.load(model);
  const base = await loadPublished(deps, spec, { model, ...input.base });
  const { changed, kept } = await readReplacements(store, spec.lookups, base, input.replacements);
  if (changed.length === 0) return { bundle: null, replaced: [], kept };

  const { major } = parseBundleVersion(base.version);
  const version = await claimVersion(
    store,
    {
      model,
      releaseId: input.releaseId,
      createdAt: input.createdAt,
      gitSha: input.gitSha,
      semver: nextSemver(base.version, major, 'artifacts'),
    },
    sha256Hex(canonicalJson(input)),
  );
  const described: ManifestInput = { ...modelFacts(base), version, releaseId: input.releaseId, gitSha: input.gitSha };
  const replaced = changed.map(({ file }) => file);
  const written = new Map<string, Buffer>(
    changed.flatMap(({ file, bytes, lookup }): [string, Buffer][] => [
      [file, bytes],
      ...(lookup === null ? [] : [[lookupVersionFile(file), lookup.madeBytes] as [string, Buffer]]),
    ]),
  );
  if (changed.some(({ lookup }) => lookup !== null)) {
    enter('golden vectors');
    written.set(BUNDLE_FILE.golden, await goldenOf(deps, base, version, changed, signal));
  }
  written.set(BUNDLE_FILE.modelCard, Buffer.from(cardOf(base, described, spec, changed), 'utf8'));

  const unchanged = new Set([...base.files.keys()].filter((name) => !written.has(name)));
  const files = new Map([...base.files, ...written]);
  const copies = { fromVersion: base.version, names: unchanged };
  const published = await sealBundle(deps, spec, described, files, copies, enter);
  return { bundle: toRef(published), replaced, kept };
}

/** What the manifest says of the model, as the release that trained it wrote it. */
function modelFacts({ version, manifest }: LoadedBundle): Omit<ManifestInput, 'version' | 'releaseId' | 'gitSha'> {
  return {
    model: manifest.model_name,
    modelVersion: manifest.model_version,
    runId: manifest.mlflow_run_id,
    trainedAt: manifest.trained_at,
    asOf: manifest.as_of,
    dataSnapshotId: manifest.data_snapshot_id,
    metrics: manifest.metrics,
    parentVersion: version,
  };
}

/** Training's own rows as they were, the transactions through the new lookups. A retry keeps what the first attempt wrote. */
async function goldenOf(
  deps: BundleDeps,
  base: LoadedBundle,
  version: string,
  changed: readonly ReadReplacement[],
  signal: AbortSignal,
): Promise<Buffer> {
  const present = await deps.store.get(bundleKey(base.manifest.model_name, version, BUNDLE_FILE.golden));
  if (present !== null) return present.bytes;
  const documents = changed.flatMap(({ lookup, document }) => (lookup === null ? [] : [[lookup.name, document]]));
  const golden = await makeGoldenVectors(
    deps,
    {
      models: {
        [BUNDLE_FILE.pipeline]: base.pipelineOnnx,
        [BUNDLE_FILE.anomaly]: base.anomalyOnnx,
        [BUNDLE_FILE.isotonic]: base.files.get(BUNDLE_FILE.isotonic) as Buffer,
      },
      ...fromGoldenVectors(base.golden),
      registry: base.featureRegistry,
      lookups: { ...base.lookups, ...(Object.fromEntries(documents) as Record<string, unknown>) },
      requestSchema: base.requestSchema,
    },
    signal,
  );
  return canonicalJson(golden);
}

function cardOf(
  base: LoadedBundle,
  manifest: ManifestInput,
  spec: ModelSpec,
  changed: readonly ReadReplacement[],
): string {
  const made = new Map(changed.flatMap(({ lookup }) => (lookup === null ? [] : [[lookup.name, lookup.made]])));
  const thresholds = changed.find(({ file }) => file === BUNDLE_FILE.thresholds);
  return refreshedCard((base.files.get(BUNDLE_FILE.modelCard) as Buffer).toString('utf8'), {
    manifest,
    replaced: changed.map(({ file }) => file),
    lookups: Object.entries(spec.lookups).flatMap(([name, { file }]) => {
      const version = made.get(name) ?? base.lookupVersions[name];
      return version === undefined ? [] : [{ name, file, made: version }];
    }),
    thresholds:
      thresholds === undefined
        ? null
        : { document: thresholds.document as PerCategoryThresholds, segment: spec.segment },
  });
}
