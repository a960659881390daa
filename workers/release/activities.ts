import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { createApprovalActivities } from '../../activities/approval/approval.js';
import { createRetrainingActivities } from '../../activities/drift/retraining-activities.js';
import { createModelSpecActivities } from '../../activities/model-spec/model-spec.js';
import { createLabelActivities } from '../../activities/labels/labels.js';
import { createExpertFileActivities } from '../../activities/lookups/expert-files.js';
import { channelsOf } from '../../activities/notification/channels.js';
import { fileChannel, logChannel } from '../../activities/notification/local.js';
import { createNotifyActivities } from '../../activities/notification/notify.js';
import { createPointerActivities } from '../../activities/pointer/pointer.js';
import { createProvenanceActivities } from '../../activities/registry/provenance.js';
import { createRegistryActivities } from '../../activities/registry/registry.js';
import { createReportActivities } from '../../activities/report/report.js';
import { createPinActivities } from '../../activities/retention/pins.js';
import { createLiveStateActivities } from '../../activities/rollout/live-state.js';
import { createRolloutActivities } from '../../activities/rollout/rollout.js';
import { createScorerActivities } from '../../activities/rollout/scorers.js';
import { createApplySchedulesActivities } from '../../activities/runs/apply-schedules.js';
import { createScheduleActivities } from '../../activities/runs/schedules.js';
import { createWaitActivities } from '../../activities/runs/wait.js';
import { createTransactionActivities } from '../../activities/transactions/transactions.js';
import type { System } from '../../platform/system.js';
import { workflowPage } from '../../platform/temporal.js';
import { applySchedules } from '../../schedules/apply.js';
import { REGISTRY } from '../../schedules/registry.js';
import { createAuditLog } from '../../stores/audit-log.js';
import { createDecisionLog } from '../../stores/decision-log.js';
import { withDefinitions } from '../../stores/model-definitions.js';
import { createDeliveryLedger } from '../../stores/notification-ledger.js';
import { createPins } from '../../stores/retention/pins.js';
import { createRolloutVerdicts } from '../../stores/rollout-verdicts.js';

export const RELEASE_PARTS = [
  'db',
  'store',
  'mlflow',
  'tracking',
  'temporal',
  'signer',
  'trustedKeys',
  'models',
] as const;

/** What the release worker does for workflows: the calls of a second or two. */
export function releaseActivities(system: System<(typeof RELEASE_PARTS)[number]>) {
  const { db, store, settings, log, models, temporal: client } = system;
  return {
    ...createModelSpecActivities({ ...system, gitSha: settings.SLUICE_GIT_SHA }),
    ...createRegistryActivities({ ...system, models: withDefinitions(models, store) }),
    ...createProvenanceActivities({ ...system, models: withDefinitions(models, store) }),
    ...createPointerActivities({ ...system, audit: createAuditLog(db) }),
    ...createRolloutActivities({ store, verdicts: createRolloutVerdicts(system) }),
    ...createLiveStateActivities({ ...system, client, verdicts: createRolloutVerdicts(system) }),
    ...createScorerActivities(system),
    ...createApprovalActivities({ log: createDecisionLog(db), principalsFile: settings.SLUICE_PRINCIPALS_FILE }),
    ...createReportActivities({ store, directory: settings.SLUICE_REPORTS_DIR }),
    ...createNotifyActivities({
      local: [fileChannel(join(settings.SLUICE_STATE_DIR, 'alerts.jsonl'), () => new Date()), logChannel(log)],
      channels: channelsOf(settings),
      ledger: createDeliveryLedger(db),
      pageOf: (workflowId) => {
        const run = workflowId ?? Context.current().info.workflowExecution?.workflowId;
        return run === undefined ? undefined : workflowPage(settings, run);
      },
      log,
    }),
    ...createWaitActivities({ client }),
    ...createScheduleActivities({ client }),
    ...createRetrainingActivities(system),
    ...createExpertFileActivities(system),
    ...createLabelActivities(system),
    ...createTransactionActivities(system),
    ...createPinActivities({ store, pins: createPins(db) }),
    ...createApplySchedulesActivities(async (options) =>
      applySchedules(client.schedule, { registry: REGISTRY, models: await models.names(), ...options }),
    ),
  };
}
