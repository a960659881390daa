import {
  defineQuery,
  log,
  rootCause,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { allPassed } from '../../domain/gates/gates.js';
import type { RefreshedArtifact, RefreshJob } from '../../domain/refresh/types.js';
import { StepLog } from '../common/progress.js';
import {
  PROGRESS_QUERY,
  refreshReleaseId,
  STEPS,
  type ArtifactOutcome,
  type ArtifactProgress,
  type JobProgress,
  type RefreshProgress,
  type RefreshResult,
  type RefreshRunInput,
} from './contract.js';
import { describeRefresh } from './details.js';
import { MODEL_ATTRIBUTE, RELEASE_ATTRIBUTE, STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

const SCHEDULE = 'schedule';

/** What is known of a refresh so far; every change shows in the query, the UI's details and, when the status changes, in its search attribute. */
export class RefreshRun {
  readonly log: StepLog;
  readonly progress: RefreshProgress;
  readonly releaseId: string;
  readonly requestedBy: string;
  readonly reason: string;
  private readonly telling: Promise<void>[] = [];

  /** @param job null: the whole night */
  constructor(
    readonly input: RefreshRunInput,
    readonly job: RefreshJob | null,
    jobs: readonly RefreshJob[],
  ) {
    this.releaseId = refreshReleaseId(input.key, job);
    this.requestedBy = input.requestedBy ?? SCHEDULE;
    this.reason = input.reason ?? `refresh as of ${input.asOf}`;
    this.log = new StepLog(STEPS, () => this.show());
    this.progress = {
      status: 'Running',
      steps: this.log.steps,
      jobs: jobs.map((one) => ({ job: one, state: 'pending', artifacts: [], error: null })),
      approval: null,
      bundleVersion: null,
      generation: null,
      decidedBy: null,
      why: null,
    };
    setHandler(defineQuery<RefreshProgress>(PROGRESS_QUERY), () => this.progress);
    upsertSearchAttributes([
      { key: MODEL_ATTRIBUTE, value: input.model },
      { key: RELEASE_ATTRIBUTE, value: this.releaseId },
      { key: STATUS_ATTRIBUTE, value: this.progress.status },
    ]);
    this.show();
  }

  step<T>(name: (typeof STEPS)[number], work: () => Promise<T>, detail?: (result: T) => string): Promise<T> {
    return this.log.run(name, work, detail);
  }

  update(change: Partial<Omit<RefreshProgress, 'steps' | 'jobs'>>): void {
    const changed = change.status !== undefined && change.status !== this.progress.status;
    Object.assign(this.progress, change);
    if (changed) upsertSearchAttributes([{ key: STATUS_ATTRIBUTE, value: this.progress.status }]);
    this.show();
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

  /** Takes an alert that is on its way: a sink that is down holds up neither what goes live nor a decision. */
  tell(alert: Promise<void>): void {
    this.telling.push(
      alert.catch((error: unknown) =>
        log.warn('an alert could not be sent', { error: rootCause(error) ?? String(error) }),
      ),
    );
  }

  async told(): Promise<void> {
    await Promise.all(this.telling);
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

  private show(): void {
    setCurrentDetails(describeRefresh(this.input, this.job, workflowInfo().workflowId, this.progress));
  }
}

/** What would change nothing, or put older in the place of newer, is at its end; the rest goes live, or waits for a person. */
function initialOutcome({ state, checks }: RefreshedArtifact): ArtifactOutcome {
  if (state !== 'changed') return state;
  return allPassed(checks) ? 'ready' : 'held';
}
