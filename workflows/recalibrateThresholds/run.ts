import { Run } from '../common/run.js';
import { STEPS, type ThresholdsInput, type ThresholdsProgress, type ThresholdsResult } from './contract.js';
import { describeThresholds } from './details.js';

/** A recalibration as it stands. */
export class ThresholdsRun extends Run<(typeof STEPS)[number], ThresholdsProgress> {
  constructor(readonly input: ThresholdsInput) {
    super({
      model: input.model,
      steps: STEPS,
      progress: (steps) => ({
        status: 'Running',
        steps,
        proposal: null,
        gates: [],
        approval: null,
        decidedBy: null,
        decisionReason: null,
        edited: null,
        bundleVersion: null,
        generation: null,
        why: null,
      }),
      describe: (progress, workflowId) => describeThresholds(input, workflowId, progress),
      upsertedBefore: true,
    });
  }

  result(): ThresholdsResult {
    return { model: this.input.model, key: this.input.key, ...this.progress };
  }
}
