import type { PruneResult } from '../../activities/retention/contract.js';
import type { Called } from '../common/caller.js';
import type { StepProgress } from '../common/progress.js';

export const WORKFLOW = 'pruneArtifacts';
export const STEPS = ['authorise', 'prune'] as const;

export function pruneWorkflowId(model: string, key: string): string {
  return `prune/${model}/${key}`;
}

export interface PruneInput extends Called {
  model: string;
  /** names a person's request, for the record of who was let; absent for a scheduled run */
  operationId?: string;
  /** instead of the worker's settings */
  keep?: number;
  olderThanDays?: number;
}

/** What a person who prunes is authorised for; the proof covers it. */
export function pruneOperation({
  model,
  keep,
  olderThanDays,
}: Pick<PruneInput, 'model' | 'keep' | 'olderThanDays'>): string {
  return `prune ${model} keep ${keep ?? 'default'} older than ${olderThanDays ?? 'default'} days`;
}

/** How a prune can end; each has a frozen history. */
export const ENDS = ['Pruned', 'Failed'] as const;

export interface PruneProgress {
  status: 'Running' | (typeof ENDS)[number];
  steps: StepProgress[];
  result: PruneResult | null;
  why: string | null;
}
