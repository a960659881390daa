import { createTrainerActivities } from '../../activities/trainer/trainer.js';
import { withDefinitions } from '../../stores/model-definitions.js';
import type { System } from '../../platform/system.js';

export const TRAINING_PARTS = ['store', 'models'] as const;

export interface TrainingWorker {
  system: System<(typeof TRAINING_PARTS)[number]>;
  /** absolute path of `training/` */
  trainingDir: string;
  /** what the trainer's process may see of the environment */
  trainerEnv: Readonly<Record<string, string>>;
}

/** What the training worker does for workflows: training and evaluation in a Python process. */
export function trainingActivities({ system, trainingDir, trainerEnv }: TrainingWorker) {
  const { store, models, settings, log } = system;
  return createTrainerActivities({
    store,
    models: withDefinitions(models, store),
    trainingDir,
    python: settings.SLUICE_PYTHON,
    env: trainerEnv,
    mlflowTrackingUri: settings.MLFLOW_TRACKING_URI,
    log,
  });
}
