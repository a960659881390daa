import type { ObjectStore } from '../../platform/object-store.js';
import { findBundle } from '../../stores/bundles.js';
import type { RolloutVerdicts } from '../../stores/rollout-verdicts.js';
import type { RolloutActivities } from './contract.js';

/** What rollouts leave on record, and what a rollback reads of it. */
export function createRolloutActivities(deps: {
  verdicts: RolloutVerdicts;
  store: Pick<ObjectStore, 'get' | 'list'>;
}): RolloutActivities {
  return {
    recordVerdict: (verdict) => deps.verdicts.record(verdict),
    lastGoodBundle: (where) => deps.verdicts.lastGood(where),
    findBundle: (wanted) => findBundle(deps.store, wanted),
  };
}
