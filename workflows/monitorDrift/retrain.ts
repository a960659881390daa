import { CancellationScope, startChild } from '@temporalio/workflow';
import { TypedSearchAttributes, WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import { DRIFT_MONITOR } from '../../domain/approval/caller.js';
import type { DriftDay } from '../../domain/drift/day.js';
import type { RetrainingClaim } from '../../domain/retraining/claim.js';
import { shortCalls } from '../common/proxies.js';
import { QUEUES } from '../common/queues.js';
import { summaryOf } from '../common/summaries.js';
import {
  releaseWorkflowId,
  WORKFLOW as RELEASE,
  type ReleaseInput,
  type ReleaseResult,
} from '../releaseModel/contract.js';
import { retrainingReleaseId, type Retraining } from './contract.js';
import { MODEL_ATTRIBUTE, RELEASE_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

/**
 * Starts the retraining that a day asks for, once, whatever stops in between: claim → start → record.
 *
 * - Stopped before the claim: nothing has happened; the run goes on, or is run again.
 * - Between claim and start: a new worker replays to here and starts it. Where the run itself was terminated, the claim is not recorded as
 *   started, so the next day that asks for a retraining is handed this claim, and starts this one.
 * - Between start and record: the id of the release makes a second start find the first, whoever makes it; then it is recorded.
 * - After the record: the claim says `started`, and nobody starts anything before the cool-down has passed, not even when the release's
 *   history has been deleted.
 *
 * Recording before the start could lose a retraining, and starting before the claim could double one. A cancelled run finishes this.
 */
export function retrain(day: DriftDay): Promise<Retraining> {
  const { model, key, asOf } = day;
  return CancellationScope.nonCancellable(async () => {
    const { outcome, claim, until } = await shortCalls.claimRetraining({
      model,
      releaseId: retrainingReleaseId(key),
      asOf,
      reason: day.why,
      claimedAt: new Date().toISOString(),
    });
    if (outcome === 'start') {
      await startRelease(model, claim);
      const { releaseId } = claim;
      await shortCalls.recordRetraining({ model, key, releaseId, startedAt: new Date().toISOString() });
    }
    return {
      outcome: outcome === 'cooling-down' ? 'cooling-down' : 'started',
      claim,
      workflowId: releaseWorkflowId(model, claim.releaseId),
      until,
    };
  });
}

/** Gated as any release, and nobody's child once it runs: it outlives this run. One that exists already is the one that was wanted. */
async function startRelease(model: string, { releaseId, asOf, reason }: RetrainingClaim): Promise<void> {
  const input: ReleaseInput = { model, releaseId, asOf, caller: { actor: DRIFT_MONITOR, reason } };
  try {
    await startChild<(input: ReleaseInput) => Promise<ReleaseResult>>(RELEASE, {
      args: [input],
      workflowId: releaseWorkflowId(model, releaseId),
      taskQueue: QUEUES.release,
      parentClosePolicy: 'ABANDON',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      typedSearchAttributes: new TypedSearchAttributes([
        { key: MODEL_ATTRIBUTE, value: model },
        { key: RELEASE_ATTRIBUTE, value: releaseId },
      ]),
      staticSummary: summaryOf(`release ${releaseId} of ${model} by drift: ${reason}`),
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
