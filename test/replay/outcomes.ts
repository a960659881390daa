import { OUTCOMES as LAUNCHED } from '../../workflows/launchScheduled/contract.js';
import { ENDS as DRIFT } from '../../workflows/monitorDrift/contract.js';
import { ENDS as PRUNE } from '../../workflows/pruneArtifacts/contract.js';
import { ENDS as THRESHOLDS } from '../../workflows/recalibrateThresholds/contract.js';
import { REFRESH_ENDS } from '../../workflows/refresh/contract.js';
import { ENDS as RELEASE } from '../../workflows/releaseModel/contract.js';
import { ENDS as ROLLBACK } from '../../workflows/rollbackRelease/contract.js';
import { OUTCOMES as ROLLOUT } from '../../workflows/rolloutBundle/contract.js';
import { ENDS as SETTLE } from '../../workflows/settleModel/contract.js';

/** How runs of a kind can end. */
export interface Ends {
  /** the workflow types that are of this kind */
  types: readonly string[];
  /** outcomes or statuses, from the workflow's own contract */
  outcomes: readonly string[];
  /** failure types after which the workflow does something of its own: undoes, tells otherwise, or tells nobody */
  failures: readonly string[];
}

const operation = (type: string, outcomes: readonly string[] = ['completed']): Ends => ({
  types: [type],
  outcomes,
  failures: ['NotAuthorised'],
});

/** Every workflow. A new workflow, or a new outcome in a contract, needs a frozen history: `outcomes.test.ts` compares. */
export const ENDS: readonly Ends[] = [
  {
    types: ['releaseModel'],
    outcomes: RELEASE,
    failures: ['DataCheckFailed', 'GateFailed', 'NoData', 'NotAuthorised', 'RolloutFailed', 'UndoFailed', 'cancelled'],
  },
  { types: ['rolloutBundle'], outcomes: ROLLOUT, failures: ['NotAuthorised'] },
  { types: ['settleModel'], outcomes: SETTLE, failures: [] },
  {
    types: ['rollbackRelease'],
    outcomes: ROLLBACK,
    failures: ['NotAuthorised', 'RolloutFailed', 'Superseded'],
  },
  {
    types: ['nightlyRefresh', 'refreshMerchantFrequency', 'refreshCategoryStats', 'refreshFxRates', 'refreshSynonyms'],
    outcomes: REFRESH_ENDS,
    failures: ['RolloutFailed', 'Unreachable', 'cancelled'],
  },
  {
    types: ['recalibrateThresholds'],
    outcomes: THRESHOLDS,
    failures: ['NotAuthorised', 'RolloutFailed', 'cancelled'],
  },
  { types: ['monitorDrift'], outcomes: DRIFT, failures: ['IntegrityError', 'cancelled'] },
  { types: ['launchScheduled'], outcomes: LAUNCHED, failures: ['InvalidInput', 'ScheduledRunFailed'] },
  { types: ['pruneArtifacts'], outcomes: PRUNE.filter((end) => end !== 'Failed'), failures: ['NotAuthorised'] },
  { types: ['sendNotification'], outcomes: ['completed'], failures: [] },
  { types: ['testNotification', 'testAlerts'], outcomes: ['completed'], failures: [] },
  operation('publishExpertFile'),
  operation('importLabels', ['finished', 'continued']),
  operation('deleteTransactions'),
  operation('pinBundle'),
  operation('applySchedules'),
];
