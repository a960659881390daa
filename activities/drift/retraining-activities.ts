import type { ModelSpec } from '../../schemas/types.js';
import { withMongo } from '../../platform/mongo-address.js';
import type { RetrainingActivities } from './contract.js';
import { documentId, reportsOf } from '../../stores/drift/reports.js';
import { logDay, type MlflowRunDeps } from './mlflow-run.js';
import { claimRetraining, markStarted } from '../../stores/drift/retrainings.js';

export interface RetrainingDeps extends MlflowRunDeps {
  loadSpec: (model: string) => Promise<Pick<ModelSpec, 'drift'>>;
}

/** The light calls of a drift run: what it logs, and the retraining it may start. */
export function createRetrainingActivities({ db, store, mlflow, loadSpec }: RetrainingDeps): RetrainingActivities {
  return {
    logDriftReport: (which) => withMongo(db, () => logDay({ db, store, mlflow }, which)),

    async claimRetraining(input) {
      const { cooldown_days } = (await loadSpec(input.model)).drift.retraining;
      return await withMongo(db, () => claimRetraining(db, input, cooldown_days));
    },

    async recordRetraining({ model, key, releaseId, startedAt }) {
      await withMongo(db, async () => {
        await markStarted(db, model, releaseId, startedAt);
        await reportsOf(db).updateOne({ _id: documentId({ model, key }) }, { $set: { retraining: releaseId } });
      });
    },
  };
}
