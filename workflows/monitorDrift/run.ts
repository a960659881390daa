import { defineQuery, setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import { StepLog } from '../common/progress.js';
import { PROGRESS_QUERY, STEPS, type DriftInput, type DriftProgress, type DriftResult } from './contract.js';
import { describeDrift } from './details.js';
import { MODEL_ATTRIBUTE, STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';

/** What is known of a drift run so far; every change shows in the query, the UI's details and, when the status changes, in its search attribute. */
export class DriftRun {
  readonly progress: DriftProgress;
  readonly log: StepLog;

  constructor(readonly input: DriftInput) {
    this.log = new StepLog(STEPS[input.kind], () => this.show());
    this.progress = {
      status: 'Running',
      steps: this.log.steps,
      day: null,
      snapshot: null,
      retraining: null,
      mlflowUrl: null,
      why: null,
    };
    setHandler(defineQuery<DriftProgress>(PROGRESS_QUERY), () => this.progress);
    upsertSearchAttributes([
      { key: MODEL_ATTRIBUTE, value: input.model },
      { key: STATUS_ATTRIBUTE, value: this.progress.status },
    ]);
    this.show();
  }

  step<T>(name: string, work: () => Promise<T>, detail?: (result: T) => string): Promise<T> {
    return this.log.run(name, work, detail);
  }

  update(change: Partial<DriftProgress>): void {
    const changed = change.status !== undefined && change.status !== this.progress.status;
    Object.assign(this.progress, change);
    if (changed) upsertSearchAttributes([{ key: STATUS_ATTRIBUTE, value: this.progress.status }]);
    this.show();
  }

  result(): DriftResult {
    return { model: this.input.model, key: this.input.key, ...this.progress };
  }

  private show(): void {
    setCurrentDetails(describeDrift(this.input, this.progress));
  }
}
