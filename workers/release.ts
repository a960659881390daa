import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { createApprovalActivities } from '../activities/approval/approval.js';
import { createDecisionLog } from '../stores/decision-log.js';
import { createAuditLog } from '../stores/audit-log.js';
import { createRetrainingActivities } from '../activities/drift/retraining-activities.js';
import { createRegistryActivities } from '../activities/registry/registry.js';
import { channelsOf } from '../activities/notification/channels.js';
import { createDeliveryLedger } from '../stores/notification-ledger.js';
import { fileSink, logSink } from '../activities/notification/local.js';
import { createNotifyActivities } from '../activities/notification/notify.js';
import { createPointerActivities } from '../activities/pointer/pointer.js';
import { createReportActivities } from '../activities/report/report.js';
import { createRolloutActivities } from '../activities/rollout/rollout.js';
import { createRolloutVerdicts } from '../stores/rollout-verdicts.js';
import { createScheduleActivities } from '../activities/runs/schedules.js';
import { createScorerActivities } from '../activities/rollout/scorers.js';
import { createModelSpecActivities } from '../activities/model-spec/model-spec.js';
import { createWaitActivities } from '../activities/runs/wait.js';
import { loadSettings } from '../platform/config.js';
import { mongoOf, objectStoreOf } from '../platform/connect.js';
import { SluiceError } from '../platform/errors.js';
import { loadSigner, loadTrustedKeys } from '../platform/keys.js';
import { createLog } from '../platform/log.js';
import { createMlflowClient } from '../platform/mlflow.js';
import { createMlflowTracking } from '../platform/mlflow-tracking.js';
import { loadModel } from '../platform/models.js';
import { projectPath } from '../platform/project.js';
import { temporalConnection, workflowPage } from '../platform/temporal.js';
import { QUEUES } from '../workflows/common/queues.js';
import { runWorker } from './run-worker.js';
import { WORKFLOW_BUNDLE } from './workflow-bundle.js';

// The only process that runs workflows, and beside them the light calls.
const settings = loadSettings(process.env);
const log = createLog('release-worker', settings.LOG_LEVEL);
if (!existsSync(WORKFLOW_BUNDLE))
  throw new SluiceError('NotFound', `${WORKFLOW_BUNDLE} is missing: run \`npm run build\``);

const modelsDir = projectPath('models');
const store = objectStoreOf(settings);
const mongo = await mongoOf(settings, 'release-worker');
const temporal = await Connection.connect(temporalConnection(process.env));
const client = new Client({ connection: temporal, namespace: settings.TEMPORAL_NAMESPACE });
const trustedKeys = await loadTrustedKeys(settings.SLUICE_TRUSTED_KEYS_FILE);
const pointer = createPointerActivities({
  store,
  audit: createAuditLog(mongo.db),
  signer: await loadSigner(settings.SLUICE_SIGNING_KEY_FILE),
  trustedKeys,
});

try {
  await runWorker(settings, temporalConnection(process.env), log, {
    taskQueue: QUEUES.release,
    workflowBundle: { codePath: WORKFLOW_BUNDLE },
    activities: {
      ...createModelSpecActivities({ modelsDir, gitSha: settings.SLUICE_GIT_SHA }),
      ...createRegistryActivities({
        mlflow: createMlflowClient(settings.MLFLOW_TRACKING_URI),
        loadSpec: async (model) => (await loadModel(modelsDir, model)).spec,
      }),
      ...pointer,
      ...createRolloutActivities({ store, verdicts: createRolloutVerdicts({ db: mongo.db, store, trustedKeys }) }),
      ...createScorerActivities({ db: mongo.db, store, trustedKeys }),
      ...createApprovalActivities({
        log: createDecisionLog(mongo.db),
        principalsFile: settings.SLUICE_PRINCIPALS_FILE,
      }),
      ...createReportActivities({ store, directory: settings.SLUICE_REPORTS_DIR }),
      ...createNotifyActivities({
        local: [fileSink(join(settings.SLUICE_STATE_DIR, 'alerts.jsonl'), () => new Date()), logSink(log)],
        channels: channelsOf(settings),
        ledger: createDeliveryLedger(mongo.db),
        pageOf: (workflowId) => {
          const run = workflowId ?? Context.current().info.workflowExecution?.workflowId;
          return run === undefined ? undefined : workflowPage(settings, run);
        },
        log,
      }),
      ...createWaitActivities({ client }),
      ...createScheduleActivities({ client }),
      ...createRetrainingActivities({
        db: mongo.db,
        store,
        mlflow: createMlflowTracking(settings.MLFLOW_TRACKING_URI),
        loadSpec: async (model) => (await loadModel(modelsDir, model)).spec,
      }),
    },
  });
} finally {
  await temporal.close();
  await mongo.close();
}
