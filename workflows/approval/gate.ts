import { condition, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import type { Decision } from '../../schemas/types.js';
import { shortCalls } from '../common/proxies.js';
import { DECIDE_UPDATE } from './contract.js';

export interface ApprovalPolicy {
  model: string;
  requester: string;
  requesterMayApprove: boolean;
  digest: string;
  /** says what is wrong with an approver's edits, or null; without it there is nothing to edit. Synchronous: it decides in the validator. */
  checkEdits?: (edits: Record<string, unknown>) => string | null;
  deadlineSeconds: number;
  remindEverySeconds: number;
}

export type ApprovalOutcome =
  | {
      verdict: 'approve' | 'reject';
      actor: string;
      reason: string;
      /** ISO, the workflow's clock */
      at: string;
      /** null: as proposed */
      edits: Record<string, unknown> | null;
    }
  | { verdict: 'expired' };

const refuse = (message: string): never => {
  throw ApplicationFailure.nonRetryable(message, 'InvalidInput');
};

/** Shape, digest and deadline; synchronous, so that a refusal leaves no trace in history. Returns the decision or throws. */
function check(
  decision: unknown,
  policy: ApprovalPolicy | null,
  deadline: number,
  decided: boolean,
): asserts decision is Decision {
  if (policy === null) return refuse('nothing waits for a decision here');
  if (decided) return refuse('this has been decided already');
  if (Date.now() >= deadline) return refuse('the deadline of this decision has passed');
  if (typeof decision !== 'object' || decision === null)
    return refuse('the decision must be an object {decisionId, verdict, actor, reason, digest}');
  const fields = decision as Record<string, unknown>;
  for (const name of ['decisionId', 'actor', 'reason', 'digest'] as const) {
    if (typeof fields[name] !== 'string' || fields[name].trim() === '')
      return refuse(`/${name} must be a text that is not empty`);
  }
  if (fields['verdict'] !== 'approve' && fields['verdict'] !== 'reject')
    return refuse('/verdict must be "approve" or "reject"');
  if (fields['digest'] !== policy.digest)
    return refuse(`/digest is not that of the proposal shown now (${policy.digest}): look at it again`);
  if (fields['edits'] !== undefined) checkEdits(fields['edits'], fields['verdict'], policy);
}

function checkEdits(edits: unknown, verdict: string, policy: ApprovalPolicy): void {
  if (typeof edits !== 'object' || edits === null || Array.isArray(edits)) return refuse('/edits must be an object');
  if (verdict !== 'approve') return refuse('/edits go with "approve" only');
  if (policy.checkEdits === undefined) return refuse('/edits: this is approved as it is shown, or rejected');
  const problem = policy.checkEdits(edits as Record<string, unknown>);
  if (problem !== null) refuse(`/edits${problem}`);
}

/**
 * The Update `decide`: validated at once, then authorised. The handler is set before anything is awaited, so that an early decision is
 * refused with a reason and never lost.
 */
export class ApprovalGate {
  private policy: ApprovalPolicy | null = null;
  private deadline = 0;
  private outcome: ApprovalOutcome | null = null;

  constructor() {
    setHandler(
      defineUpdate<{ accepted: true; verdict: string }, [Decision]>(DECIDE_UPDATE),
      async (decision) => {
        const policy = this.policy as ApprovalPolicy;
        const answer = await shortCalls.authorizeDecision({
          model: policy.model,
          workflowId: workflowInfo().workflowId,
          decision,
          requester: policy.requester,
          requesterMayApprove: policy.requesterMayApprove,
        });
        if (!answer.allowed) throw ApplicationFailure.nonRetryable(answer.why, 'NotAuthorised');
        // Two people may have been authorised side by side: the first one counts.
        check(decision, this.policy, this.deadline, this.outcome !== null);
        const { verdict, actor, reason, edits = null } = decision;
        this.outcome = { verdict, actor, reason, edits, at: new Date().toISOString() };
        return { accepted: true, verdict: decision.verdict };
      },
      { validator: (decision) => check(decision, this.policy, this.deadline, this.outcome !== null) },
    );
  }

  /** Waits for a decision; `opened` is told the deadline (ISO), `remind` is called while time passes. */
  async decide(
    policy: ApprovalPolicy,
    opened: (deadline: string) => void,
    remind: (hoursLeft: number) => Promise<void>,
  ): Promise<ApprovalOutcome> {
    this.policy = policy;
    this.deadline = Date.now() + policy.deadlineSeconds * 1000;
    opened(new Date(this.deadline).toISOString());
    for (;;) {
      const left = this.deadline - Date.now();
      if (left <= 0) break;
      if (await condition(() => this.outcome !== null, Math.min(left, policy.remindEverySeconds * 1000))) break;
      const hoursLeft = (this.deadline - Date.now()) / 3_600_000;
      if (hoursLeft > 0) await remind(hoursLeft);
    }
    this.outcome ??= { verdict: 'expired' };
    return this.outcome;
  }
}
