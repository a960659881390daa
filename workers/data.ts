import { tmpdir } from 'node:os';
import { Client, Connection } from '@temporalio/client';
import { createBundleActivities } from '../activities/bundle/bundle.js';
import { createDriftActivities } from '../activities/drift/drift.js';
import { createTrainingDataActivities } from '../activities/training-data/training-data.js';
import { referenceDeps } from '../stores/retention/deps.js';
import { createPruneActivities } from '../activities/retention/prune.js';
import { createFxRefreshActivities } from '../activities/refresh/fx/fx.js';
import { createFxProvider } from '../activities/refresh/fx/sources.js';
import { createSynonymsRefreshActivities } from '../activities/refresh/synonyms/synonyms.js';
import { streamPredictions } from '../stores/predictions/stream.js';
import { createRowRefreshActivities } from '../activities/refresh/refresh.js';
import { createRecalibrationActivities } from '../activities/recalibration/recalibration.js';
import { trainerEnv } from '../activities/trainer/child-env.js';
import { createScoreRows } from '../activities/trainer/score-rows.js';
import { loadSettings } from '../platform/config.js';
import { mongoOf, objectStoreOf } from '../platform/connect.js';
import { loadSigner, loadTrustedKeys } from '../platform/keys.js';
import { createLog } from '../platform/log.js';
import { createMlflowClient } from '../platform/mlflow.js';
import { modelReader } from '../platform/models.js';
import { projectPath } from '../platform/project.js';
import { temporalConnection } from '../platform/temporal.js';
import { QUEUES } from '../workflows/common/queues.js';
import { runWorker } from './run-worker.js';

// Bulk I/O: snapshots out of Mongo, bundles into S3. Rows stream through; none of it holds a data set in memory.
const settings = loadSettings(process.env);
const log = createLog('data-worker', settings.LOG_LEVEL);
const store = objectStoreOf(settings);
const modelsDir = projectPath('models');
const loadModel = modelReader(modelsDir);
const mongo = await mongoOf(settings, 'data-worker');
const trustedKeys = await loadTrustedKeys(settings.SLUICE_TRUSTED_KEYS_FILE);
const temporal = await Connection.connect(temporalConnection(process.env));

try {
  await runWorker(settings, temporalConnection(process.env), log, {
    taskQueue: QUEUES.data,
    maxConcurrentActivityTaskExecutions: 4,
    activities: {
      ...createTrainingDataActivities({
        db: mongo.db,
        objectStore: store,
        modelsDir,
        trustedKeys,
        log,
        gitSha: settings.SLUICE_GIT_SHA,
      }),
      ...createRowRefreshActivities({
        db: mongo.db,
        store,
        trustedKeys,
        loadModel,
        log,
      }),
      ...createSynonymsRefreshActivities({
        db: mongo.db,
        store,
        trustedKeys,
        loadModel,
        log,
      }),
      ...createFxRefreshActivities({
        db: mongo.db,
        store,
        trustedKeys,
        loadModel,
        provider: () =>
          createFxProvider({ source: settings.FX_SOURCE, apiKey: settings.FX_API_KEY, now: () => new Date() }),
        log,
      }),
      ...createRecalibrationActivities({
        db: mongo.db,
        store,
        trustedKeys,
        loadSpec: async (model) => (await loadModel(model)).spec,
        stream: streamPredictions,
      }),
      ...createDriftActivities({
        db: mongo.db,
        store,
        trustedKeys,
        loadSpec: async (model) => (await loadModel(model)).spec,
      }),
      ...createPruneActivities({
        ...referenceDeps({
          db: mongo.db,
          store,
          trustedKeys,
          client: new Client({ connection: temporal, namespace: settings.TEMPORAL_NAMESPACE }),
        }),
        defaults: { keep: settings.SLUICE_KEEP_VERSIONS, olderThanDays: settings.SLUICE_KEEP_DAYS },
      }),
      ...createBundleActivities({
        store,
        mlflow: createMlflowClient(settings.MLFLOW_TRACKING_URI),
        signer: await loadSigner(settings.SLUICE_SIGNING_KEY_FILE),
        trustedKeys,
        loadModel,
        score: createScoreRows({
          python: settings.SLUICE_PYTHON,
          trainingDir: projectPath('training'),
          env: trainerEnv(process.env),
          log,
        }),
        temporaryDir: tmpdir(),
      }),
    },
  });
} finally {
  await temporal.close();
  await mongo.close();
}
