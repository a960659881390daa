import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import { sha256Hex } from '../../domain/bundle/digest.js';
import type { TrainingResult } from '../../domain/release/types.js';
import { SluiceError } from '../../platform/errors.js';
import type { MlflowClient } from '../../platform/mlflow.js';

/** Where training keeps, inside its MLflow run, what a bundle takes from it. */
const RUN_FOLDER = 'bundle';
export const GOLDEN_FEATURES_FILE = 'golden_features.json';
const FROM_THE_RUN = [
  BUNDLE_FILE.pipeline,
  BUNDLE_FILE.anomaly,
  BUNDLE_FILE.isotonic,
  BUNDLE_FILE.thresholds,
  GOLDEN_FEATURES_FILE,
] as const;
/** Taken where training reported it: a run from before that is released without. */
const IF_REPORTED = [BUNDLE_FILE.profile] as const;

export type RunArtifacts = Record<(typeof FROM_THE_RUN)[number], Buffer> &
  Partial<Record<(typeof IF_REPORTED)[number], Buffer>>;

/**
 * The run's files, each exactly as training reported it. MLflow's store can be written to by others, and a digest that was approved must be
 * the one that goes live.
 */
export async function fetchRunArtifacts(
  mlflow: MlflowClient,
  runId: string,
  reported: TrainingResult['artifacts'],
): Promise<RunArtifacts> {
  const run = await mlflow.getRun(runId);
  const files: Partial<RunArtifacts> = {};
  const reportedToo = IF_REPORTED.filter((name) => reported[`${RUN_FOLDER}/${name}`] !== undefined);
  for (const name of [...FROM_THE_RUN, ...reportedToo]) {
    const path = `${RUN_FOLDER}/${name}`;
    const expected = reported[path];
    if (expected === undefined)
      throw new SluiceError('IntegrityError', `Training of run ${runId} reported no ${path}; train again.`);
    const bytes = await mlflow.downloadArtifact(run, path);
    const actual = sha256Hex(bytes);
    if (actual !== expected.sha256)
      throw new SluiceError(
        'IntegrityError',
        `MLflow at ${mlflow.address} hands out another ${path} of run ${runId} than training logged (${actual}, not ${expected.sha256}). Find out who changed it, then train again.`,
      );
    files[name] = bytes;
  }
  return files as RunArtifacts;
}
