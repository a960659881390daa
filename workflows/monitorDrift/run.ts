import { Run } from '../common/run.js';
import { STEPS, type DriftInput, type DriftProgress, type DriftResult } from './contract.js';
import { describeDrift } from './details.js';

type Step = (typeof STEPS)['daily' | 'weekly'][number];

/** A drift run as it stands. */
export class DriftRun extends Run<Step, DriftProgress> {
  constructor(readonly input: DriftInput) {
    super({
      model: input.model,
      steps: STEPS[input.kind],
      progress: (steps) => ({
        status: 'Running',
        steps,
        day: null,
        snapshot: null,
        retraining: null,
        mlflowUrl: null,
        why: null,
      }),
      describe: (progress) => describeDrift(input, progress),
      upsertedBefore: true,
    });
  }

  result(): DriftResult {
    return { model: this.input.model, key: this.input.key, ...this.progress };
  }
}
