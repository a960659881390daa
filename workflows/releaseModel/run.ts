import { defineQuery, setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import type { ReleaseReport } from '../../activities/report/contract.js';
import type { ModelSpec } from '../../domain/release/types.js';
import { StepLog } from '../common/progress.js';
import {
  PROGRESS_QUERY,
  STEPS,
  type ReleaseInput,
  type ReleaseOverrides,
  type ReleaseProgress,
  type ReleaseResult,
} from './contract.js';
import { describeRelease } from './details.js';
import { STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

/** What is known of a release so far; every change shows in the query, the UI's details and, when the status changes, in its search attribute. */
export class ReleaseRun {
  readonly log: StepLog;
  readonly progress: ReleaseProgress;
  private readonly facts = {
    decidedBy: null as string | null,
    decisionReason: null as string | null,
    snapshotPrefix: null as string | null,
  };

  constructor(readonly input: ReleaseInput) {
    this.log = new StepLog(STEPS, () => this.show());
    this.progress = {
      status: 'Running',
      steps: this.log.steps,
      training: null,
      metrics: null,
      gates: [],
      approval: null,
      modelVersion: null,
      bundleVersion: null,
      generation: null,
      dataSnapshotId: null,
      why: null,
    };
    setHandler(defineQuery<ReleaseProgress>(PROGRESS_QUERY), () => this.progress);
    upsertSearchAttributes([{ key: STATUS_ATTRIBUTE, value: this.progress.status }]);
  }

  step<T>(name: (typeof STEPS)[number], work: () => Promise<T>, detail?: (result: T) => string): Promise<T> {
    return this.log.run(name, work, detail);
  }

  update(change: Partial<Omit<ReleaseProgress, 'steps'>> & Partial<typeof this.facts>): void {
    const { decidedBy, decisionReason, snapshotPrefix, ...progress } = change;
    if (decidedBy !== undefined) this.facts.decidedBy = decidedBy;
    if (decisionReason !== undefined) this.facts.decisionReason = decisionReason;
    if (snapshotPrefix !== undefined) this.facts.snapshotPrefix = snapshotPrefix;
    const changed = progress.status !== undefined && progress.status !== this.progress.status;
    Object.assign(this.progress, progress);
    if (changed) upsertSearchAttributes([{ key: STATUS_ATTRIBUTE, value: this.progress.status }]);
    this.show();
  }

  fail(why: string): void {
    this.update({ status: 'Failed', why, approval: null });
  }

  close(): void {
    this.log.close();
  }

  result(): ReleaseResult {
    return { model: this.input.model, releaseId: this.input.releaseId, ...this.progress };
  }

  report(): ReleaseReport {
    const { progress } = this;
    const stages = {
      Released: 'Production',
      Rejected: 'Archived',
      Expired: 'Archived',
      Superseded: 'Archived',
      Failed: 'Archived',
      Running: null,
      WaitingForApproval: null,
    };
    return {
      model: this.input.model,
      releaseId: this.input.releaseId,
      status: progress.status,
      runId: progress.training?.runId ?? null,
      modelVersion: progress.modelVersion,
      bundleVersion: progress.bundleVersion,
      generation: progress.generation,
      stage: progress.modelVersion === null ? null : stages[progress.status],
      metrics: progress.metrics ?? {},
      gates: progress.gates,
      dataSnapshotId: progress.dataSnapshotId,
      snapshotPrefix: this.facts.snapshotPrefix,
      actor:
        this.facts.decidedBy === null
          ? this.input.requestedBy
          : `${this.input.requestedBy}, decided by ${this.facts.decidedBy}`,
      reason: progress.why ?? this.facts.decisionReason ?? this.input.reason,
      finishedAt: new Date().toISOString(),
    };
  }

  private show(): void {
    setCurrentDetails(describeRelease(this.input, workflowInfo().workflowId, this.progress));
  }
}

/** The model's spec with what this one release sets differently. */
export function applyOverrides(spec: ModelSpec, overrides: ReleaseOverrides | undefined): ModelSpec {
  return {
    ...spec,
    gates: spec.gates.map((gate) => overrides?.gates?.find(({ metric }) => metric === gate.metric) ?? gate),
    promotion: {
      ...spec.promotion,
      policy: overrides?.policy ?? spec.promotion.policy,
      deadline_hours:
        overrides?.deadlineSeconds === undefined ? spec.promotion.deadline_hours : overrides.deadlineSeconds / 3600,
    },
  };
}
