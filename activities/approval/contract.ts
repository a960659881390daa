import type { Authorisation } from '../../domain/approval/authorise.js';
import type { Caller } from '../../domain/approval/caller.js';
import type { OverrideChange } from '../../domain/release/overrides.js';
import type { Decision } from '../../schemas/types.js';

/** An answer; `proven` is absent in histories of before 2026-11-24. */
export type Answer = Omit<Authorisation, 'proven'> & Partial<Pick<Authorisation, 'proven'>>;

/** queue `release`; every answer, refusals too, is in the decision log before it is given */
export interface ApprovalActivities {
  /** Whether this actor may decide this. */
  authorizeDecision(input: {
    model: string;
    workflowId: string;
    decision: Decision;
    requester: string;
    requesterMayApprove: boolean;
  }): Promise<Answer>;
  /** Names of all principals as they stand on file now; nobody where there is no file. */
  principalNames(input: { model: string }): Promise<string[]>;
  /** Whether the actor may operate (roll back, prune, pin). */
  authorizeOperation(
    input: {
      model: string;
      workflowId: string;
      operationId: string;
      operation: string;
    } & Caller,
  ): Promise<Answer>;
  /** Whether the caller may ask for this run, and for what it sets differently from the model's spec. */
  authorizeRequest(input: {
    model: string;
    workflowId: string;
    /** of the run: one record each */
    runId: string;
    /** with `request`, what the caller's proof covers */
    requestId: string;
    request: string;
    caller: Caller;
    overrides: readonly OverrideChange[];
    /** why the spec may be weakened; null: nothing was said */
    overrideReason: string | null;
  }): Promise<Answer>;
}
