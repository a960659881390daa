import { ApplicationFailure } from '@temporalio/common';
import type { OverrideChange } from '../../domain/release/overrides.js';
import type { ModelSpec } from '../../domain/release/types.js';
import { markUnproven } from '../common/identity.js';
import { authoriseRequest } from '../common/request.js';
import { thresholdsRequest } from './contract.js';
import type { ThresholdsRun } from './run.js';

/** Goes on when whoever asked may ask for it. What the run sets differently is on record from here on. */
export async function admit(
  run: ThresholdsRun,
  policy: ModelSpec['recalibration']['approval'],
  deadlineHours: number,
): Promise<void> {
  const { model, key } = run.input;
  if (!(deadlineHours > 0))
    throw ApplicationFailure.nonRetryable('/overrides/deadlineSeconds must be a number above 0', 'InvalidInput');
  const overrides: OverrideChange[] =
    deadlineHours === policy.deadline_hours
      ? []
      : [
          {
            name: 'recalibration.approval.deadline_hours',
            old: policy.deadline_hours,
            new: deadlineHours,
            weakens: false,
          },
        ];
  const identity = await authoriseRequest({
    model,
    requestId: key,
    request: thresholdsRequest(run.input),
    caller: run.caller,
    overrides,
  });
  if (identity === undefined) return;
  run.requesterIdentity = identity;
  if (overrides.length > 0) run.update({ overrides });
  if (!policy.requester_may_approve) markUnproven(run, run.caller.actor, identity);
}
