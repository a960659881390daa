import type { Pointer, Receipt } from '../../domain/release/types.js';
import type { StepProgress } from '../common/progress.js';
import type { RolloutOutcome, RolloutResult, RolloutVerdict } from './contract.js';

/** How a rollout ended. */
export interface RolloutEnd {
  outcome: RolloutOutcome;
  why: string;
  /** what the pointer names now */
  live: Pointer | null;
  /** the replicas that have loaded it */
  receipts?: Receipt[];
}

const VERDICT: Record<RolloutOutcome, RolloutVerdict> = {
  live: 'Successful',
  'base-moved': 'Inconclusive',
  undone: 'Failed',
  overtaken: 'Failed',
  'nothing-to-restore': 'Failed',
};

export function resultOf(
  { outcome, why, live, receipts = [] }: RolloutEnd,
  steps: StepProgress[],
  silent: readonly string[],
): RolloutResult {
  return {
    outcome,
    verdict: VERDICT[outcome],
    generation: live?.generation ?? null,
    liveVersion: live?.version ?? null,
    receipts,
    ...(silent.length === 0 ? {} : { silent: [...silent] }),
    why,
    steps,
  };
}
