import { trainerEnv } from '../activities/trainer/child-env.js';
import { createTrainerActivities } from '../activities/trainer/trainer.js';
import { loadSettings } from '../platform/config.js';
import { objectStoreOf } from '../platform/connect.js';
import { createLog } from '../platform/log.js';
import { loadModel } from '../platform/models.js';
import { projectPath } from '../platform/project.js';
import { temporalConnection } from '../platform/temporal.js';
import { QUEUES } from '../workflows/common/queues.js';
import { runWorker } from './run-worker.js';

// One training at a time: it takes every core it is given.
const settings = loadSettings(process.env);
const log = createLog('training-worker', settings.LOG_LEVEL);

await runWorker(settings, temporalConnection(process.env), log, {
  taskQueue: QUEUES.training,
  maxConcurrentActivityTaskExecutions: 1,
  activities: createTrainerActivities({
    store: objectStoreOf(settings),
    loadModel: (model) => loadModel(projectPath('models'), model),
    trainingDir: projectPath('training'),
    python: settings.SLUICE_PYTHON,
    env: trainerEnv(process.env),
    mlflowTrackingUri: settings.MLFLOW_TRACKING_URI,
    log,
  }),
});
