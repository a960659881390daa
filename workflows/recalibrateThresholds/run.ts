import type { Caller } from '../../domain/approval/caller.js';
import type { Identity } from '../../domain/approval/identity.js';
import { callerOf } from '../common/caller.js';
import { Run } from '../common/run.js';
import { STEPS, type ThresholdsInput, type ThresholdsProgress, type ThresholdsResult } from './contract.js';
import { describeThresholds } from './details.js';

/** A recalibration as it stands. */
export class ThresholdsRun extends Run<(typeof STEPS)[number], ThresholdsProgress> {
  readonly caller: Caller;
  /** of whoever asked; undefined: nobody was asked */
  requesterIdentity: Identity | undefined;

  constructor(readonly input: ThresholdsInput) {
    const caller = callerOf(input);
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
      describe: (progress, workflowId) => describeThresholds({ ...input, caller }, workflowId, progress),
      upsertedBefore: true,
    });
    this.caller = caller;
  }

  result(): ThresholdsResult {
    return { model: this.input.model, key: this.input.key, ...this.progress };
  }
}
