import { workflowInfo } from '@temporalio/workflow';
import { decisionDigest } from '../../domain/release/decision-digest.js';
import type { ModelSpec } from '../../domain/release/types.js';
import { checkEdits } from '../../domain/thresholds/edits.js';
import type { ThresholdSummary } from '../../domain/thresholds/summary.js';
import type { ApprovalOutcome } from '../../domain/approval/pending-decision.js';
import type { ApprovalGate } from '../approval/gate.js';
import { shortCalls } from '../common/proxies.js';
import type { ThresholdsRun } from './run.js';

/** An approval, and the digest of what was approved. */
export type Approved = Exclude<ApprovalOutcome, { verdict: 'expired' }> & { digest: string };

/** Waits for a person who was shown exactly this. Null: rejected or expired, and the run says so. */
export async function decideOn(
  run: ThresholdsRun,
  gate: ApprovalGate,
  summary: ThresholdSummary,
  policy: ModelSpec['recalibration']['approval'],
): Promise<Approved | null> {
  const { model, key } = run.input;
  const { overrides, unproven = [] } = run.progress;
  const proposal = overrides === undefined ? summary : { ...summary, overrides };
  const digest = decisionDigest(proposal);
  const howTo = `sluice thresholds show ${key}, then approve or reject ${key} --reason WHY`;
  const ask = (severity: 'info' | 'warning', when: string, text: string): Promise<void> =>
    shortCalls.notify({
      key: `${workflowInfo().runId}/${when}`,
      severity,
      title: `${model}: new thresholds of ${key} wait for a decision`,
      text,
      whatToDo: howTo,
    });
  const gain = proposal.overall.gain_per_day.value;
  await ask(
    'info',
    'opened',
    `${proposal.changes.length} thresholds would change, ${gain === null ? 'gain unknown' : `${gain.toFixed(2)} ${proposal.costs.currency} a day`}.`,
  );
  const outcome = await gate.decide(
    {
      model,
      requester: run.caller.actor,
      requesterMayApprove: policy.requester_may_approve,
      digest,
      deadlineSeconds: policy.deadline_hours * 3600,
      remindEverySeconds: policy.remind_every_hours * 3600,
      checkEdits: (edits) => checkEdits(edits, proposal.category_names),
    },
    (deadline) => run.update({ status: 'WaitingForApproval', approval: { digest, deadline, proposal } }),
    (hoursLeft) => ask('warning', `reminder/${Math.ceil(hoursLeft)}`, `${hoursLeft.toFixed(1)} hours are left.`),
  );
  if (outcome.verdict === 'expired') {
    run.update({ status: 'Expired', approval: null, why: 'no decision before the deadline' });
    return null;
  }
  const { actor, reason, identity } = outcome;
  if (!policy.requester_may_approve && identity === 'unproven') run.update({ unproven: [...unproven, actor] });
  run.update({ status: 'Running', approval: null, decidedBy: actor, decisionReason: reason });
  if (outcome.verdict === 'approve') return { ...outcome, digest };
  run.update({ status: 'Rejected', why: `rejected by ${actor}: ${reason}` });
  return null;
}
