import type { Caller } from '../../domain/approval/caller.js';
import type { BundleRef } from '../../domain/release/types.js';
import { callerOf } from '../common/caller.js';
import { Run } from '../common/run.js';
import { STEPS, type RollbackInput, type RollbackProgress } from './contract.js';
import { describeRollback } from './details.js';

/** A rollback as it stands, and what it has found out so far. */
export class RollbackRun extends Run<(typeof STEPS)[number], RollbackProgress> {
  /** what was live before it */
  from: string | null = null;
  /** where it goes; null until that is known */
  target: BundleRef | null = null;

  readonly caller: Caller;

  constructor(readonly input: RollbackInput) {
    const caller = callerOf(input);
    super({
      model: input.model,
      releaseId: input.releaseId,
      holds: [input.version],
      steps: STEPS,
      progress: (steps) => ({ status: 'Running', steps, why: null }),
      describe: (progress) => describeRollback({ ...input, caller }, progress),
      upsertedBefore: false,
    });
    this.caller = caller;
  }
}
