import type { ModelSpec } from '../../schemas/types.js';
import type { RetrainingActivities } from './contract.js';
import { COLLECTIONS, openCollection } from '../../stores/collections.js';
import { documentId } from '../../stores/drift/reports.js';
import { logDay, type MlflowRunDeps } from './mlflow-run.js';
import { claimRetraining, markStarted } from '../../stores/drift/retrainings.js';

export interface RetrainingDeps extends MlflowRunDeps {
  models: { load: (model: string) => Promise<{ spec: Pick<ModelSpec, 'drift'> }> };
}

/** The light calls of a drift run: what it logs, and the retraining it may start. */
export function createRetrainingActivities({ db, store, tracking, models }: RetrainingDeps): RetrainingActivities {
  return {
    logDriftReport: (which) => logDay({ db, store, tracking }, which),

    async claimRetraining(input) {
      const { cooldown_days } = (await models.load(input.model)).spec.drift.retraining;
      return await claimRetraining(db, input, cooldown_days);
    },

    async recordRetraining({ model, key, releaseId, startedAt }) {
      await markStarted(db, model, releaseId, startedAt);
      await openCollection(db, COLLECTIONS.driftReports).updateOne(
        { _id: documentId({ model, key }) },
        { $set: { retraining: releaseId } },
      );
    },
  };
}
