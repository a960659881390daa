import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import {
  goldenVectors,
  rawRows,
  type GoldenTransactions,
  type Scores,
  type TrainedRows,
} from '../../domain/bundle/golden.js';
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

/** What scores: the files of a bundle that the trainer's `score` command reads. */
const SCORING_FILES = [BUNDLE_FILE.pipeline, BUNDLE_FILE.anomaly, BUNDLE_FILE.isotonic] as const;

/** Training's rows and transactions, from the file it left in its run. */
export function trainedGolden(artifacts: RunArtifacts): { trained: TrainedRows; transactions: GoldenTransactions } {
  const document: unknown = JSON.parse(artifacts[GOLDEN_FEATURES_FILE].toString('utf8'));
  const golden = validate('golden-features', document, GOLDEN_FEATURES_FILE);
  return { trained: golden, transactions: golden };
}

/** A bundle's golden vectors: training's own rows, and the transactions anew through this bundle's lookups. */
export async function makeGoldenVectors(
  deps: { score: ScoreRows; temporaryDir: string },
  input: {
    models: Record<(typeof SCORING_FILES)[number], Buffer>;
    trained: TrainedRows;
    transactions: GoldenTransactions;
    registry: FeatureRegistry;
    lookups: Lookups;
    requestSchema: Record<string, unknown>;
  },
  signal: AbortSignal,
): Promise<GoldenVectors> {
  const { models, trained, registry, lookups, requestSchema } = input;
  const raw = rawRows(registry, lookups, input.transactions);
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
    for (const name of SCORING_FILES) await writeFile(join(directory, name), models[name]);
    const rows = [...trained.rows.map(({ features }) => features), ...raw.map(({ features }) => features)];
    return goldenVectors(trained, raw, await deps.score(directory, rows, signal));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
