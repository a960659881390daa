import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import { goldenVectors, rawRows, type Scores } from '../../domain/bundle/golden.js';
import { BundleError } from '../../domain/bundle/manifest.js';
import type { Lookups } from '../../domain/features/compile.js';
import { createAjv, toViolations, validate } from '../../platform/validate.js';
import type { FeatureRegistry, GoldenVectors } from '../../schemas/types.js';
import { GOLDEN_FEATURES_FILE, type RunArtifacts } from './run-artifacts.js';

/** The trainer's `score` command over the models in a directory. */
export type ScoreRows = (
  bundleDir: string,
  features: readonly (readonly number[])[],
  signal: AbortSignal,
) => Promise<Scores>;

/** The bundle's golden vectors: training's own, and its transactions anew through this bundle's lookups. */
export async function makeGoldenVectors(
  deps: { score: ScoreRows; temporaryDir: string },
  input: {
    artifacts: RunArtifacts;
    registry: FeatureRegistry;
    lookups: Lookups;
    requestSchema: Record<string, unknown>;
  },
  signal: AbortSignal,
): Promise<GoldenVectors> {
  const { artifacts, registry, lookups, requestSchema } = input;
  const document: unknown = JSON.parse(artifacts[GOLDEN_FEATURES_FILE].toString('utf8'));
  const golden = validate('golden-features', document, GOLDEN_FEATURES_FILE);
  const raw = rawRows(registry, lookups, golden);
  const acceptable = createAjv().compile(requestSchema);
  for (const [i, { transaction }] of raw.entries()) {
    if (acceptable(transaction)) continue;
    const lines = toViolations(acceptable.errors).map(({ path, message }) => `${path} ${message}`);
    throw new BundleError(
      `golden transaction ${i} is not a request that ${BUNDLE_FILE.requestSchema} allows: ${lines.join('; ')}`,
    );
  }

  const directory = await mkdtemp(join(deps.temporaryDir, 'sluice-golden-'));
  try {
    for (const name of [BUNDLE_FILE.pipeline, BUNDLE_FILE.anomaly, BUNDLE_FILE.isotonic])
      await writeFile(join(directory, name), artifacts[name]);
    const rows = [...golden.rows.map(({ features }) => features), ...raw.map(({ features }) => features)];
    return goldenVectors(golden, raw, await deps.score(directory, rows, signal));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
