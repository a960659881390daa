import { SCHEDULER, type Caller } from '../../domain/approval/caller.js';
import type { Identity } from '../../domain/approval/identity.js';
import { allPassed } from '../../domain/gates/gates.js';
import type { RefreshedArtifact, RefreshJob } from '../../domain/refresh/types.js';
import { callerOf } from '../common/caller.js';
import { Run } from '../common/run.js';
import {
  refreshReleaseId,
  STEPS,
  type ArtifactOutcome,
  type ArtifactProgress,
  type JobProgress,
  type RefreshJobRunInput,
  type RefreshProgress,
  type RefreshResult,
} from './contract.js';
import { describeRefresh } from './details.js';

/** A refresh as it stands: what each job made, and what becomes of each artifact. */
export class RefreshRun extends Run<(typeof STEPS)[number], RefreshProgress> {
  readonly releaseId: string;
  readonly caller: Caller;
  /** undefined: nobody was asked */
  requesterIdentity: Identity | undefined;

  /** @param job null: the whole night */
  constructor(
    readonly input: RefreshJobRunInput,
    readonly job: RefreshJob | null,
    jobs: readonly RefreshJob[],
  ) {
    const releaseId = refreshReleaseId(input.key, job);
    const caller = callerOf(input, { actor: SCHEDULER, reason: `refresh as of ${input.asOf}` });
    super({
      model: input.model,
      releaseId,
      holds: [input.partOf?.live.version],
      steps: STEPS,
      progress: (steps) => ({
        status: 'Running',
        steps,
        jobs: jobs.map((one) => ({ job: one, state: 'pending', artifacts: [], error: null })),
        approval: null,
        bundleVersion: null,
        generation: null,
        decidedBy: null,
        why: null,
      }),
      describe: (progress, workflowId) => describeRefresh({ ...input, caller }, job, workflowId, progress),
      upsertedBefore: true,
    });
    this.releaseId = releaseId;
    this.caller = caller;
  }

  updateJob(job: RefreshJob, change: Partial<Omit<JobProgress, 'job' | 'artifacts'>>): void {
    Object.assign(this.jobProgress(job), change);
    this.show();
  }

  /** Takes over what a job made, and says of each artifact what is to become of it. */
  made(job: RefreshJob, artifacts: readonly RefreshedArtifact[]): void {
    const progress = this.jobProgress(job);
    progress.state = 'done';
    progress.artifacts = artifacts.map((artifact) => ({ ...artifact, outcome: initialOutcome(artifact) }));
    this.show();
  }

  settle(artifact: ArtifactProgress, outcome: ArtifactOutcome, note?: string): void {
    artifact.outcome = outcome;
    if (note !== undefined && !artifact.notes.includes(note)) artifact.notes = [...artifact.notes, note];
    this.show();
  }

  artifacts(...outcomes: ArtifactOutcome[]): ArtifactProgress[] {
    return this.progress.jobs.flatMap(({ artifacts }) => artifacts.filter(({ outcome }) => outcomes.includes(outcome)));
  }

  result(): RefreshResult {
    const { model, key, asOf } = this.input;
    return { model, key, asOf, ...this.progress };
  }

  private jobProgress(job: RefreshJob): JobProgress {
    const progress = this.progress.jobs.find((one) => one.job === job);
    if (progress === undefined) throw new Error(`this run has no job ${job}`);
    return progress;
  }
}

/** What would change nothing, or put older in the place of newer, is at its end; the rest goes live, or waits for a person. */
function initialOutcome({ state, checks }: RefreshedArtifact): ArtifactOutcome {
  if (state !== 'changed') return state;
  return allPassed(checks) ? 'ready' : 'held';
}
