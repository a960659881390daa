import { condition, defineUpdate, setHandler, workflowInfo } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import { identityOf, type Identity } from '../../domain/approval/identity.js';
import { PendingDecision, type ApprovalOutcome, type DecisionTerms } from '../../domain/approval/pending-decision.js';
import type { Decision } from '../../schemas/types.js';
import { shortCalls } from '../common/proxies.js';
import { DECIDE_UPDATE } from './contract.js';

export interface ApprovalPolicy extends DecisionTerms {
  model: string;
  requester: string;
  requesterMayApprove: boolean;
  remindEverySeconds: number;
}

/**
 * The Update `decide`: validated at once, so that a refusal leaves no trace in history, then authorised. The handler is set before anything is
 * awaited, so that an early decision is refused with a reason and never lost.
 */
export class ApprovalGate {
  private readonly pending = new PendingDecision();
  private policy: ApprovalPolicy | null = null;

  constructor() {
    setHandler(
      defineUpdate<{ accepted: true; verdict: string }, [Decision]>(DECIDE_UPDATE),
      async (decision) => {
        const identity = await authorise(decision, this.policy as ApprovalPolicy);
        // Two people may have been authorised side by side, or the deadline may have passed: it is checked once more as it is taken.
        refuse(this.pending.take(decision, Date.now(), identity));
        return { accepted: true, verdict: decision.verdict };
      },
      { validator: (decision) => refuse(this.pending.refusal(decision, Date.now())) },
    );
  }

  /** Waits for a decision; `opened` is given the deadline (ISO), `remind` is called while time passes. */
  async decide(
    policy: ApprovalPolicy,
    opened: (deadline: string) => void,
    remind: (hoursLeft: number) => Promise<void>,
  ): Promise<ApprovalOutcome> {
    this.policy = policy;
    const deadline = this.pending.open(policy, Date.now());
    opened(new Date(deadline).toISOString());
    for (;;) {
      const left = deadline - Date.now();
      if (left <= 0) break;
      if (await condition(() => this.pending.outcome !== null, Math.min(left, policy.remindEverySeconds * 1000))) break;
      const hoursLeft = (deadline - Date.now()) / 3_600_000;
      if (hoursLeft > 0) await remind(hoursLeft);
    }
    return this.pending.close();
  }
}

async function authorise(decision: Decision, policy: ApprovalPolicy): Promise<Identity | undefined> {
  const { model, requester, requesterMayApprove } = policy;
  const { workflowId } = workflowInfo();
  const answer = await shortCalls.authorizeDecision({ model, workflowId, decision, requester, requesterMayApprove });
  if (!answer.allowed) throw ApplicationFailure.nonRetryable(answer.why, 'NotAuthorised');
  return identityOf(answer);
}

function refuse(refusal: string | null): void {
  if (refusal !== null) throw ApplicationFailure.nonRetryable(refusal, 'InvalidInput');
}
