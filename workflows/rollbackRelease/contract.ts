import type { Environment, RolloutResult } from '../rolloutBundle/contract.js';
import type { Called } from '../common/caller.js';
import type { StepProgress } from '../common/progress.js';

export const WORKFLOW = 'rollbackRelease';
export const STEPS = ['find the bundle', 'authorise', 'rollout', 'champion', 'report'] as const;

export function rollbackWorkflowId(model: string, releaseId: string): string {
  return `rollback/${model}/${releaseId}`;
}

export interface RollbackInput extends Called {
  model: string;
  environment: Environment;
  releaseId: string;
  /** a bundle's version; null takes the last good one before what is live */
  version: string | null;
}

/** What the actor is authorised for; the proof covers it. */
export function rollbackOperation({
  model,
  environment,
  version,
}: Pick<RollbackInput, 'model' | 'environment' | 'version'>): string {
  return `rollback ${model} ${environment} ${version ?? 'last good'}`;
}

/** How a rollback can end; each has a frozen history. */
export const ENDS = ['RolledBack', 'Superseded', 'Failed'] as const;

export interface RollbackProgress {
  status: 'Running' | (typeof ENDS)[number];
  steps: StepProgress[];
  why: string | null;
}

export interface RollbackResult {
  rollout: RolloutResult;
  version: string;
  /** what was live before; null in a staging environment that was empty */
  from: string | null;
  steps: StepProgress[];
}
