import { defineQuery, setCurrentDetails, setHandler, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { StepLog } from '../common/progress.js';
import {
  PROGRESS_QUERY,
  STEPS,
  type ThresholdsInput,
  type ThresholdsProgress,
  type ThresholdsResult,
} from './contract.js';
import { describeThresholds } from './details.js';
import { MODEL_ATTRIBUTE, STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

/** What is known of a run so far; every change shows in the query, the UI's details and, when the status changes, in its search attribute. */
export class ThresholdsRun {
  readonly log: StepLog;
  readonly progress: ThresholdsProgress;

  constructor(readonly input: ThresholdsInput) {
    this.log = new StepLog(STEPS, () => this.show());
    this.progress = {
      status: 'Running',
      steps: this.log.steps,
      proposal: null,
      approval: null,
      decidedBy: null,
      decisionReason: null,
      edited: null,
      bundleVersion: null,
      generation: null,
      why: null,
    };
    setHandler(defineQuery<ThresholdsProgress>(PROGRESS_QUERY), () => this.progress);
    upsertSearchAttributes([
      { key: MODEL_ATTRIBUTE, value: input.model },
      { key: STATUS_ATTRIBUTE, value: this.progress.status },
    ]);
    this.show();
  }

  step<T>(name: (typeof STEPS)[number], work: () => Promise<T>, detail?: (result: T) => string): Promise<T> {
    return this.log.run(name, work, detail);
  }

  update(change: Partial<Omit<ThresholdsProgress, 'steps'>>): void {
    const changed = change.status !== undefined && change.status !== this.progress.status;
    Object.assign(this.progress, change);
    if (changed) upsertSearchAttributes([{ key: STATUS_ATTRIBUTE, value: this.progress.status }]);
    this.show();
  }

  /** The run ends here, for this reason; steps that never began are skipped. */
  end(status: ThresholdsProgress['status'], why: string | null): void {
    this.update({ status, why, approval: null });
    this.log.close();
  }

  result(): ThresholdsResult {
    return { model: this.input.model, key: this.input.key, ...this.progress };
  }

  private show(): void {
    setCurrentDetails(describeThresholds(this.input, workflowInfo().workflowId, this.progress));
  }
}
