import { tmpdir } from 'node:os';
import { createBundleActivities } from '../../activities/bundle/bundle.js';
import { createDriftActivities } from '../../activities/drift/drift.js';
import { createRecalibrationActivities } from '../../activities/recalibration/recalibration.js';
import { createFxRefreshActivities } from '../../activities/refresh/fx/fx.js';
import { createFxProvider } from '../../activities/refresh/fx/sources.js';
import { createRowRefreshActivities } from '../../activities/refresh/refresh.js';
import { createSynonymsRefreshActivities } from '../../activities/refresh/synonyms/synonyms.js';
import { createPruneActivities } from '../../activities/retention/prune.js';
import { createScoreRows } from '../../activities/trainer/score-rows.js';
import { createTrainingDataActivities } from '../../activities/training-data/training-data.js';
import type { System } from '../../platform/system.js';
import { withDefinitions } from '../../stores/model-definitions.js';
import { streamPredictions } from '../../stores/predictions/stream.js';
import { referenceDeps } from '../../stores/retention/deps.js';

export const DATA_PARTS = ['db', 'store', 'mlflow', 'temporal', 'signer', 'trustedKeys', 'models'] as const;

export interface DataWorker {
  system: System<(typeof DATA_PARTS)[number]>;
  /** absolute path of `training/`: its Python scores a bundle's golden vectors */
  trainingDir: string;
  /** what the trainer's process may see of the environment */
  trainerEnv: Readonly<Record<string, string>>;
}

/** What the data worker does for workflows: snapshots, nightly jobs, bundles, drift, pruning. */
export function dataActivities({ system, trainingDir, trainerEnv }: DataWorker) {
  const { settings, log, temporal: client } = system;
  const models = withDefinitions(system.models, system.store);
  return {
    ...createTrainingDataActivities({ ...system, models, gitSha: settings.SLUICE_GIT_SHA }),
    ...createRowRefreshActivities(system),
    ...createSynonymsRefreshActivities(system),
    ...createFxRefreshActivities({
      ...system,
      provider: () =>
        createFxProvider({ source: settings.FX_SOURCE, apiKey: settings.FX_API_KEY, now: () => new Date() }),
    }),
    ...createRecalibrationActivities({ ...system, stream: streamPredictions }),
    ...createDriftActivities(system),
    ...createPruneActivities({
      ...referenceDeps({ ...system, client }),
      defaults: { keep: settings.SLUICE_KEEP_VERSIONS, olderThanDays: settings.SLUICE_KEEP_DAYS },
    }),
    ...createBundleActivities({
      ...system,
      models,
      score: createScoreRows({ python: settings.SLUICE_PYTHON, trainingDir, env: trainerEnv, log }),
      temporaryDir: tmpdir(),
    }),
  };
}
