import { condition, defineUpdate, isCancellation, log, patched, setHandler, workflowInfo } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import { Attempts } from '../../domain/approval/attempts.js';
import { identityOf, type Identity } from '../../domain/approval/identity.js';
import { PendingDecision, type ApprovalOutcome, type DecisionTerms } from '../../domain/approval/pending-decision.js';
import { notificationOf } from '../../domain/notification/events.js';
import type { Decision } from '../../schemas/types.js';
import { handOverSince, logUnsent } from '../common/notify.js';
import { PATCHES } from '../common/patches.js';
import { shortCalls } from '../common/proxies.js';
import { reasonOf } from '../common/reason.js';
import { DECIDE_UPDATE } from './contract.js';

export interface ApprovalPolicy extends DecisionTerms {
  model: string;
  requester: string;
  requesterMayApprove: boolean;
  remindEverySeconds: number;
  /** Says of a decision that was authorised what only an activity can find out, or null: nothing is wrong with it. */
  examine?: (decision: Decision) => Promise<string | null>;
}

/**
 * The Update `decide`: validated at once, so that a refusal leaves no trace in history, then authorised. The handler is set before anything is
 * awaited, so that an early decision is refused with a reason and never lost.
 */
export class ApprovalGate {
  private readonly pending = new PendingDecision();
  private readonly attempts = new Attempts();
  private policy: ApprovalPolicy | null = null;

  constructor() {
    setHandler(
      defineUpdate<{ accepted: true; verdict: string }, [Decision]>(DECIDE_UPDATE),
      async (decision) => {
        const policy = this.policy as ApprovalPolicy;
        const identity = await this.authorise(decision, policy);
        if (policy.examine !== undefined) refuse(await policy.examine(decision), 'InvalidInput');
        this.attempts.allowed(decision.actor);
        // Two people may have been authorised side by side, or the deadline may have passed: it is checked once more as it is taken.
        refuse(this.pending.take(decision, Date.now(), identity), 'InvalidInput');
        return { accepted: true, verdict: decision.verdict };
      },
      {
        validator: (decision: Decision) => {
          refuse(this.pending.refusal(decision, Date.now()), 'InvalidInput');
          refuse(this.attempts.refusal(decision.actor, Date.now()), 'NotAuthorised');
        },
      },
    );
  }

  /** Waits for a decision; `opened` is given the deadline (ISO), `remind` is called while time passes. */
  async decide(
    policy: ApprovalPolicy,
    opened: (deadline: string) => void,
    remind: (hoursLeft: number) => Promise<void>,
  ): Promise<ApprovalOutcome> {
    this.policy = policy;
    if (patched(PATCHES.unknownNamesRefused)) await this.readNames(policy);
    const deadline = this.pending.open(policy, Date.now());
    opened(new Date(deadline).toISOString());
    for (;;) {
      const left = deadline - Date.now();
      if (left <= 0) break;
      const reminderMs = policy.remindEverySeconds * 1000;
      const summary = reminderMs < left ? 'Remind people of the decision' : 'The deadline of the decision';
      if (await condition(() => this.pending.outcome !== null, Math.min(left, reminderMs), { summary })) break;
      const hoursLeft = (deadline - Date.now()) / 3_600_000;
      if (hoursLeft > 0) await remind(hoursLeft);
    }
    return this.pending.close();
  }

  private async authorise(decision: Decision, policy: ApprovalPolicy): Promise<Identity | undefined> {
    const { model, requester, requesterMayApprove } = policy;
    const { actor } = decision;
    const mustBeRead = this.attempts.isUnknown(actor);
    this.attempts.begin(actor, Date.now());
    if (mustBeRead) await this.readNames(policy);
    const { workflowId } = workflowInfo();
    const answer = await shortCalls.authorizeDecision({ model, workflowId, decision, requester, requesterMayApprove });
    if (answer.allowed) return identityOf(answer);
    if (this.attempts.refused(actor)) void notifyRefused(model, actor, answer.why);
    throw ApplicationFailure.nonRetryable(answer.why, 'NotAuthorised');
  }

  /** Without names everybody may try, as before: a file that cannot be read must not end the run that waits. */
  private async readNames({ model }: ApprovalPolicy): Promise<void> {
    try {
      this.attempts.known(await shortCalls.principalNames({ model }), Date.now());
    } catch (error) {
      if (isCancellation(error)) throw error;
      log.warn('the principals cannot be read', { error: reasonOf(error) });
    }
  }
}

/** Nobody waits for it: what it is about is going on. */
function notifyRefused(model: string, actor: string, why: string): Promise<void> {
  const { workflowId, runId } = workflowInfo();
  const facts = { model, run: workflowId, actor, why };
  const notification = notificationOf('decisionsRefused', `${runId}/refused-decisions`, workflowId, facts);
  return logUnsent(handOverSince(model, notification, shortCalls));
}

function refuse(refusal: string | null, type: 'InvalidInput' | 'NotAuthorised'): void {
  if (refusal !== null) throw ApplicationFailure.nonRetryable(refusal, type);
}
