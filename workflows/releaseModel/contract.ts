import type { CheckResult, Metrics, TrainingResult } from '../../domain/release/types.js';
import type { Gate } from '../../schemas/types.js';
import type { PendingApproval } from '../approval/contract.js';
import type { Called } from '../common/caller.js';
import type { StepProgress } from '../common/progress.js';

export const WORKFLOW = 'releaseModel';
export const STEPS = [
  'snapshot',
  'validate data',
  'train',
  'evaluate',
  'register',
  'promote',
  'export',
  'rollout',
  'champion',
  'report',
] as const;

export function releaseWorkflowId(model: string, releaseId: string): string {
  return `release/${model}/${releaseId}`;
}

export interface ReleaseInput extends Called {
  model: string;
  releaseId: string;
  /** every window is relative to this instant */
  asOf: string;
  overrides?: ReleaseOverrides;
}

/** What one release may set differently from the model's spec; all of it is recorded in the report. */
export interface ReleaseOverrides {
  policy?: 'auto' | 'manual';
  deadlineSeconds?: number;
  /** replaces the bounds of gates the spec names */
  gates?: Gate[];
  seed?: number;
}

/** What an approver is shown, and what the decision's digest covers. */
export interface Proposal {
  model: string;
  releaseId: string;
  modelVersion: string;
  onnxSha256: string;
  operatingThreshold: number;
  metrics: Metrics;
  gates: CheckResult[];
  champion: { version: string; metrics: Metrics } | null;
}

export type ReleaseStatus =
  'Running' | 'WaitingForApproval' | 'Released' | 'Rejected' | 'Expired' | 'Superseded' | 'Failed';

export interface ReleaseProgress {
  status: ReleaseStatus;
  steps: StepProgress[];
  training: TrainingResult | null;
  metrics: Metrics | null;
  gates: CheckResult[];
  /** present while a decision is awaited */
  approval: PendingApproval<Proposal> | null;
  modelVersion: string | null;
  bundleVersion: string | null;
  generation: number | null;
  dataSnapshotId: string | null;
  why: string | null;
}

export type ReleaseResult = ReleaseProgress & { model: string; releaseId: string };
