import { proxyActivities } from '@temporalio/workflow';
import type { ReplicaActivities } from '../../activities/rollout/contract.js';
import type { Receipt } from '../../domain/release/types.js';

type ReloadInput = Parameters<ReplicaActivities['reload']>[0];

/** Orders one replica to reload, as a rollout does, and hands its answer or refusal through. */
export async function orderReload(queue: string, input: ReloadInput): Promise<Receipt> {
  const { reload } = proxyActivities<ReplicaActivities>({
    taskQueue: queue,
    startToCloseTimeout: '20s',
    retry: { maximumAttempts: 1 },
  });
  return reload(input);
}
