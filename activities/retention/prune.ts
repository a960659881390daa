import type { RetentionPolicy } from '../../domain/retention/plan.js';
import { heartbeating } from '../heartbeat.js';
import type { PruneActivities, PruneResult } from './contract.js';
import { planPrune } from '../../stores/retention/plan.js';
import type { ReferenceDeps } from '../../stores/retention/references.js';
import { removeArtifact, restoreNeeded } from './remove.js';

export interface PruneDeps extends ReferenceDeps {
  /** where a run does not say */
  defaults: Pick<RetentionPolicy, 'keep' | 'olderThanDays'>;
}

export function createPruneActivities(deps: PruneDeps): PruneActivities {
  return {
    async pruneArtifacts({ model, now, keep = deps.defaults.keep, olderThanDays = deps.defaults.olderThanDays }) {
      const result: PruneResult = { model, deleted: [], spared: [], kept: 0 };
      await heartbeating(
        async (signal) => {
          await restoreNeeded(deps, model);
          const plan = await planPrune(deps, model, { keep, olderThanDays, now });
          result.kept = plan.filter(({ goes }) => !goes).length;
          for (const artifact of plan.filter(({ goes }) => goes)) {
            signal.throwIfAborted();
            const { kind, name, objects, bytes } = artifact;
            const why = await removeArtifact(deps, model, artifact);
            if (why === null) result.deleted.push({ kind, name, objects, bytes });
            else result.spared.push({ kind, name, why });
          }
        },
        () => ({ deleted: result.deleted.length }),
      );
      return result;
    },
  };
}
