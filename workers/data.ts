import { createBundleActivities } from '../activities/bundle/bundle.js';
import { createMongoActivities } from '../activities/mongo/mongo.js';
import { loadSettings } from '../platform/config.js';
import { mongoOf, objectStoreOf } from '../platform/connect.js';
import { loadSigner, loadTrustedKeys } from '../platform/keys.js';
import { createLog } from '../platform/log.js';
import { createMlflowClient } from '../platform/mlflow.js';
import { projectPath } from '../platform/project.js';
import { QUEUES } from '../workflows/queues.js';
import { runWorker } from './run-worker.js';

// Bulk I/O: snapshots out of Mongo, bundles into S3. Rows stream through; none of it holds a data set in memory.
const settings = loadSettings(process.env);
const log = createLog('data-worker', settings.LOG_LEVEL);
const store = objectStoreOf(settings);
const mongo = await mongoOf(settings, 'data-worker');

try {
  await runWorker(settings, log, {
    taskQueue: QUEUES.data,
    maxConcurrentActivityTaskExecutions: 4,
    activities: {
      ...createMongoActivities({ db: mongo.db, objectStore: store, modelsDir: projectPath('models'), log }),
      ...createBundleActivities({
        store,
        mlflow: createMlflowClient(settings.MLFLOW_TRACKING_URI),
        modelsDir: projectPath('models'),
        signer: await loadSigner(settings.SLUICE_SIGNING_KEY_FILE),
        trustedKeys: await loadTrustedKeys(settings.SLUICE_TRUSTED_KEYS_FILE),
      }),
    },
  });
} finally {
  await mongo.close();
}
