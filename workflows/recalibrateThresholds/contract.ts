import type { OverrideChange } from '../../domain/release/overrides.js';
import type { ProposalGate } from '../../domain/thresholds/gates.js';
import type { ThresholdSummary } from '../../domain/thresholds/summary.js';
import type { PendingApproval } from '../approval/contract.js';
import type { Called } from '../common/caller.js';
import type { StepProgress } from '../common/progress.js';

export const WORKFLOW = 'recalibrateThresholds';
export const STEPS = ['propose', 'approve', 'edits', 'compose', 'rollout'] as const;

/** @param key `runKey(asOf)` */
export function thresholdsWorkflowId(model: string, key: string): string {
  return `thresholds/${model}/${key}`;
}

export interface ThresholdsInput extends Called {
  model: string;
  /** labels known by then count; ISO */
  asOf: string;
  /** `runKey(asOf)` */
  key: string;
  overrides?: { deadlineSeconds?: number };
}

/** What the caller is authorised for; the proof covers it. */
export function thresholdsRequest({ model, key, asOf, overrides }: Omit<ThresholdsInput, 'caller'>): string {
  return `thresholds ${model} ${key} as of ${asOf} deadline ${overrides?.deadlineSeconds ?? 'default'}`;
}

/** What an approver is shown, and what the decision's digest covers. */
export type ThresholdsProposal = ThresholdSummary & {
  /** what the gates of the model's releases say of it: an approval overrides those that it misses; absent before 2026-11-25 */
  gates?: readonly ProposalGate[];
  /** where this recalibration departs from the model's spec; absent: nowhere */
  overrides?: readonly OverrideChange[];
};

/**
 * How a recalibration can end; each has a frozen history. `NotEnoughFeedback`, `NothingLive`: no proposal, and nothing has failed; the key
 * may be run again when there is more.
 */
export const ENDS = [
  'NotEnoughFeedback',
  'NothingLive',
  'Live',
  'Unchanged',
  'Rejected',
  'Expired',
  'Superseded',
  'Failed',
] as const;
export type ThresholdsStatus = 'Running' | 'WaitingForApproval' | (typeof ENDS)[number];

export interface ThresholdsProgress {
  status: ThresholdsStatus;
  steps: StepProgress[];
  /** what was proposed; stays when the decision is made */
  proposal: ThresholdSummary | null;
  /** what the gates of the model's releases say of it; absent in runs that ended before 25 November 2026 */
  gates?: ProposalGate[];
  /** present while a decision is awaited */
  approval: PendingApproval<ThresholdsProposal> | null;
  decidedBy: string | null;
  decisionReason: string | null;
  /** the figures of what was approved, where the approver edited the proposal */
  edited: ThresholdSummary | null;
  bundleVersion: string | null;
  generation: number | null;
  /** where it departs from the model's spec; absent: nowhere */
  overrides?: readonly OverrideChange[];
  /** names that were only given, where two different people must ask and decide; absent: none */
  unproven?: readonly string[];
  why: string | null;
}

export type ThresholdsResult = ThresholdsProgress & { model: string; key: string };
