import { ApplicationFailure } from '@temporalio/common';
import { patched, workflowInfo } from '@temporalio/workflow';
import { PATCHES } from '../common/patches.js';

/** Runs that may put a bundle live begin their ids so. Each has been authorised itself: by a person's role, or by the schedule that started it. */
const PUBLISHERS = /^(release|refresh|thresholds|rollback)\//;

/**
 * A rollout authorises nobody, so it runs for a publisher only: started by hand, it would put anything live under any name.
 * @throws ApplicationFailure NotAuthorised
 */
export function requirePublisher(): void {
  const { parent } = workflowInfo();
  if (parent !== undefined && PUBLISHERS.test(parent.workflowId)) return;
  if (patched(PATCHES.rolloutsNeedAPublisher))
    throw ApplicationFailure.nonRetryable(
      'a rollout is started by a release, a refresh, new thresholds or a rollback, never by itself: `sluice rollback VERSION --reason WHY`',
      'NotAuthorised',
    );
}
