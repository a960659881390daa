import type { Caller } from '../../domain/approval/caller.js';
import type { BundleId } from '../../domain/bundle/id.js';
import type { RefreshedArtifact, RefreshJob } from '../../domain/refresh/types.js';
import type { PendingApproval } from '../approval/contract.js';
import type { StepProgress } from '../common/progress.js';

export const NIGHTLY_WORKFLOW = 'nightlyRefresh';
/** Each job is a workflow that also runs alone. */
export const JOB_WORKFLOWS = {
  merchantFrequency: 'refreshMerchantFrequency',
  categoryStats: 'refreshCategoryStats',
  fxRates: 'refreshFxRates',
  synonyms: 'refreshSynonyms',
} as const satisfies Record<RefreshJob, string>;
export const JOBS = Object.keys(JOB_WORKFLOWS) as RefreshJob[];

export const STEPS = ['live bundle', 'build', 'compose', 'rollout', 'decision', 'publish approved'] as const;

/**
 * @param key `runKey(asOf)`
 * @param job null: the whole night
 */
export function refreshWorkflowId(model: string, key: string, job: RefreshJob | null = null): string {
  return `refresh/${model}/${key}${job === null ? '' : `/${job}`}`;
}

/** Names the change in manifest, pointer and audit log. */
export function refreshReleaseId(key: string, job: RefreshJob | null = null): string {
  return `refresh-${key}${job === null ? '' : `-${job}`}`;
}

export interface RefreshRunInput {
  model: string;
  /** every window ends here; ISO */
  asOf: string;
  /** `runKey(asOf)` */
  key: string;
  /** absent: a schedule */
  caller?: Caller;
}

/**
 * What the caller is authorised for; the proof covers it.
 * @param job null: the whole night
 */
export function refreshRequest({ model, key, asOf }: RefreshRunInput, job: RefreshJob | null): string {
  return `refresh ${model} ${key} ${job ?? 'night'} as of ${asOf}`;
}

export interface RefreshJobRunInput extends RefreshRunInput {
  /** set by the run that publishes what this one makes; absent: this one does */
  partOf?: { workflowId: string; live: BundleId };
}

/** What became of an artifact: it waits to be published (`ready`) or for a decision (`held`), or is at its end. */
export type ArtifactOutcome =
  | 'ready'
  | 'held'
  | 'live'
  | 'unchanged'
  | 'older'
  /** other changes went live first, and this one did not */
  | 'superseded'
  | 'rejected'
  | 'expired';

export interface ArtifactProgress extends RefreshedArtifact {
  outcome: ArtifactOutcome;
}

export interface JobProgress {
  job: RefreshJob;
  state: 'pending' | 'running' | 'done' | 'failed';
  artifacts: ArtifactProgress[];
  /** why it failed */
  error: string | null;
}

/** What an approver is shown, and what the decision's digest covers. */
export interface HeldProposal {
  model: string;
  key: string;
  /** the bundle that the artifacts were compared with */
  comparedWith: string;
  artifacts: Pick<
    RefreshedArtifact,
    'job' | 'lookup' | 'file' | 'sha256' | 'version' | 'asOf' | 'rows' | 'checks' | 'notes'
  >[];
}

/** How a refresh can end; each has a frozen history. */
export const REFRESH_ENDS = [
  /** made, and published by the run that asked for it */
  'Made',
  /** what changed is live */
  'Refreshed',
  /** everything is as it was: no new bundle */
  'Unchanged',
  /** nothing is live yet, so there is nothing to refresh */
  'NothingLive',
  /** a job failed; the others' artifacts are live */
  'Incomplete',
  /** what was held is not published, by a person's decision or for want of one; the rest is live */
  'Rejected',
  'Expired',
  /** what changed is older than what is live, or other changes went live first; it is not published */
  'Superseded',
  'Failed',
] as const;
export type RefreshStatus = 'Running' | 'WaitingForApproval' | (typeof REFRESH_ENDS)[number];

export interface RefreshProgress {
  status: RefreshStatus;
  steps: StepProgress[];
  jobs: JobProgress[];
  /** present while a decision is awaited */
  approval: PendingApproval<HeldProposal> | null;
  /** the newest bundle that this run published */
  bundleVersion: string | null;
  generation: number | null;
  decidedBy: string | null;
  /** names that were only given, where two different people must ask and decide; absent: none */
  unproven?: readonly string[];
  why: string | null;
}

export type RefreshResult = RefreshProgress & { model: string; key: string; asOf: string };
