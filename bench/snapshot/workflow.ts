import { proxyActivities } from '@temporalio/workflow';
import type { TrainingDataActivities } from '../../activities/training-data/contract.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import { QUEUES } from '../../workflows/common/queues.js';

const { snapshot } = proxyActivities<TrainingDataActivities>({
  taskQueue: QUEUES.data,
  startToCloseTimeout: '60m',
  heartbeatTimeout: '60s',
  retry: { maximumAttempts: 1 },
});

/** One snapshot and nothing around it, so that its time is its own. */
export async function measuredSnapshot(input: { model: string; asOf: string }): Promise<SnapshotRef> {
  return snapshot({ ...input, releaseId: 'bench' });
}
