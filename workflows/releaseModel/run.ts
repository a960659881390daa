import type { Caller } from '../../domain/approval/caller.js';
import type { Identity } from '../../domain/approval/identity.js';
import type { ChangeNote } from '../../domain/pointer/pointer.js';
import type { ModelSpec } from '../../domain/release/types.js';
import { callerOf } from '../common/caller.js';
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
        why: null,
      }),
      describe: (progress, workflowId) => describeRelease({ ...input, caller }, workflowId, progress),
      upsertedBefore: true,
    });
    this.caller = caller;
  }

  /** Whoever asked has been let. @param identity undefined: nobody was asked */
  asked(identity: Identity | undefined, { requester_may_approve }: ModelSpec['promotion']): void {
    if (identity === undefined) return;
    this.facts.note.requested_by_identity = identity;
    if (!requester_may_approve && identity === 'unproven') this.update({ unproven: [this.caller.actor] });
  }

  result(): ReleaseResult {
    return { model: this.input.model, releaseId: this.input.releaseId, ...this.progress };
  }
}
