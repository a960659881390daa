import type { PruneResult } from '../../activities/retention/contract.js';
import type { StepProgress } from '../common/progress.js';

export const WORKFLOW = 'pruneArtifacts';
export const STEPS = ['authorise', 'prune'] as const;

export function pruneWorkflowId(model: string, key: string): string {
  return `prune/${model}/${key}`;
}

export interface PruneInput {
  model: string;
  /** a person, or `schedule` */
  requestedBy: string;
  reason: string;
  /** names a person's request, for the record of who was let; absent for a scheduled run */
  operation?: {
    operationId: string;
    /** shows possession of the actor's token; absent where the principal has none */
    proof?: string;
  };
  /** instead of the worker's settings */
  keep?: number;
  olderThanDays?: number;
}

/** What a person who prunes is authorised for; the proof covers it. */
export function pruneOperation({ model, keep, olderThanDays }: PruneInput): string {
  return `prune ${model} keep ${keep ?? 'default'} older than ${olderThanDays ?? 'default'} days`;
}

export interface PruneProgress {
  status: 'Running' | 'Pruned' | 'Failed';
  steps: StepProgress[];
  result: PruneResult | null;
  why: string | null;
}
