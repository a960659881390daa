import type { StepProgress } from '../common/progress.js';

export const WORKFLOW = 'settleModel';
export const STEPS = ['look', 'smoke', 'registry'] as const;

/** Its id is the rollout's: while one settles, nobody rolls out, and the other way round. */
export interface SettleInput {
  model: string;
  environment: 'production';
}

/** What was found wrong and put right, a line each, and what could not be. */
export interface SettleResult {
  mended: string[];
  /** null: all is as the pointer says */
  failed: string | null;
}

/** How settling can end; each has a frozen history. */
export const ENDS = ['Settled', 'Failed'] as const;

export interface SettleProgress {
  status: 'Running' | (typeof ENDS)[number];
  steps: StepProgress[];
  why: string | null;
}
