import { proxyActivities } from '@temporalio/workflow';
import type { RefreshActivities, RefreshInput } from '../../activities/refresh/contract.js';
import type { RefreshedArtifact } from '../../domain/refresh/types.js';
import { QUEUES } from '../../workflows/common/queues.js';

export type MeasuredJob = 'refreshMerchantFrequency' | 'refreshCategoryStats';

const jobs = proxyActivities<RefreshActivities>({
  taskQueue: QUEUES.data,
  startToCloseTimeout: '30m',
  heartbeatTimeout: '20s',
  retry: { maximumAttempts: 1 },
});

/** One job and nothing around it, so that its time is its own. */
export async function measuredRefresh(job: MeasuredJob, input: RefreshInput): Promise<RefreshedArtifact[]> {
  return jobs[job](input);
}
