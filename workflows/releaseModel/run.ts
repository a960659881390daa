import type { Caller } from '../../domain/approval/caller.js';
import type { Identity } from '../../domain/approval/identity.js';
import type { ChangeNote } from '../../domain/pointer/pointer.js';
import type { ModelRef, ModelSpec } from '../../domain/release/types.js';
import { callerOf } from '../common/caller.js';
import { markUnproven } from '../common/identity.js';
import { Run } from '../common/run.js';
import { STEPS, type ReleaseInput, type ReleaseProgress, type ReleaseResult } from './contract.js';
import { describeRelease } from './details.js';

/** A release as it stands, and what only its report says of it. */
export class ReleaseRun extends Run<(typeof STEPS)[number], ReleaseProgress> {
  readonly facts = {
    decidedBy: null as string | null,
    decisionReason: null as string | null,
    /** what the audit entry says of who asked and who decided */
    note: {} as Omit<ChangeNote, 'kind'>,
    snapshotPrefix: null as string | null,
  };

  readonly caller: Caller;
  /** the model as it was when the release began; activities take it */
  of: ModelRef;

  constructor(readonly input: ReleaseInput) {
    const caller = callerOf(input);
    super({
      model: input.model,
      releaseId: input.releaseId,
      steps: STEPS,
      progress: (steps) => ({
        status: 'Running',
        steps,
        training: null,
        metrics: null,
        gates: [],
        approval: null,
        modelVersion: null,
        bundleVersion: null,
        generation: null,
        dataSnapshotId: null,
        data: null,
        why: null,
      }),
      describe: (progress, workflowId) => describeRelease({ ...input, caller }, workflowId, progress),
      upsertedBefore: true,
    });
    this.caller = caller;
    this.of = { model: input.model };
  }

  /** Whoever asked has been let. @param identity undefined: nobody was asked */
  asked(identity: Identity | undefined, { policy, requester_may_approve }: ModelSpec['promotion']): void {
    if (identity === undefined) return;
    this.facts.note.requested_by_identity = identity;
    if (policy === 'manual' && !requester_may_approve) markUnproven(this, this.caller.actor, identity);
  }

  result(): ReleaseResult {
    return { model: this.input.model, releaseId: this.input.releaseId, ...this.progress };
  }
}
