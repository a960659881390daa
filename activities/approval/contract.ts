import type { Caller } from '../../domain/approval/caller.js';
import type { Decision } from '../../schemas/types.js';

/** queue `release` */
export interface ApprovalActivities {
  /** Whether this actor may decide this; every refusal and every decision goes to the audit log. */
  authorizeDecision(input: {
    model: string;
    workflowId: string;
    decision: Decision;
    requester: string;
    requesterMayApprove: boolean;
  }): Promise<{ allowed: boolean; why: string }>;
  /** Whether the actor may operate (roll back); refusals go to the audit log. */
  authorizeOperation(
    input: {
      model: string;
      workflowId: string;
      operationId: string;
      operation: string;
    } & Caller,
  ): Promise<{ allowed: boolean; why: string }>;
}
