import { decisionDigest } from '../../domain/release/decision-digest.js';
import type { CandidateProvenance, TrainedOn } from '../../domain/release/provenance.js';
import type { OverrideChange } from '../../domain/release/overrides.js';
import type { CheckResult, Metrics, TrainingResult } from '../../domain/release/types.js';
import type { ReleaseOverrides } from '../../schemas/types.js';
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

/** What the caller is authorised for; the proof covers it. */
export function releaseRequest({ model, releaseId, asOf, overrides }: Omit<ReleaseInput, 'caller'>): string {
  const { reason: _reason, ...departures } = overrides ?? {};
  const digest = Object.keys(departures).length === 0 ? 'none' : decisionDigest(departures);
  return `release ${model} ${releaseId} as of ${asOf} overrides ${digest}`;
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
  /** what candidate and champion are made of; absent before 2026-11-25 */
  provenance?: CandidateProvenance;
  /** what it was trained on; absent before 2026-11-25 */
  data?: TrainedOn & { snapshotId: string };
  /** where this release departs from the model's spec; absent: nowhere */
  overrides?: readonly OverrideChange[];
}

/** How a release can end; each has a frozen history. */
export const ENDS = ['Released', 'Rejected', 'Expired', 'Superseded', 'Failed'] as const;
export type ReleaseStatus = 'Running' | 'WaitingForApproval' | (typeof ENDS)[number];

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
  /** what it was trained on; absent in runs that ended before 25 November 2026 */
  data?: TrainedOn | null;
  /** where it departs from the model's spec; absent: nowhere, or it ended before 2026-11-24 */
  overrides?: readonly OverrideChange[];
  overrideReason?: string;
  /** names that were only given, where two different people must ask and decide; absent: none */
  unproven?: readonly string[];
  why: string | null;
}

export type ReleaseResult = ReleaseProgress & { model: string; releaseId: string };
