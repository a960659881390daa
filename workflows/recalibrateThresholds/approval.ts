import { patched, workflowInfo } from '@temporalio/workflow';
import { decisionDigest } from '../../domain/release/decision-digest.js';
import type { ModelSpec } from '../../domain/release/types.js';
import { checkEdits, type ThresholdEdits } from '../../domain/thresholds/edits.js';
import {
  gatesOfProposal,
  missedGates,
  overriddenGates,
  overridesProblem,
  unknownOverride,
  type ProposalGate,
} from '../../domain/thresholds/gates.js';
import { overallLines } from '../../domain/thresholds/show.js';
import type { ThresholdSummary } from '../../domain/thresholds/summary.js';
import type { ApprovalOutcome } from '../../domain/approval/pending-decision.js';
import type { ApprovalGate, ApprovalPolicy } from '../approval/gate.js';
import { markUnproven } from '../common/identity.js';
import { PATCHES } from '../common/patches.js';
import { decideCommand } from './details.js';
import { nameOf } from './notifications.js';
import type { ThresholdsRun } from './run.js';

/** An approval, and the digest of what was approved. */
export type Approved = Exclude<ApprovalOutcome, { verdict: 'expired' }> & { digest: string };

/**
 * Waits for a person who was shown exactly this. Null: rejected or expired, and the run says so.
 * @param revise figures of what goes live with an approver's edits
 */
export async function decideOn(
  run: ThresholdsRun,
  gate: ApprovalGate,
  summary: ThresholdSummary,
  policy: ModelSpec['recalibration']['approval'],
  releaseGates: ModelSpec['gates'],
  revise: (edits: ThresholdEdits) => Promise<ThresholdSummary>,
): Promise<Approved | null> {
  const { model, key } = run.input;
  const { overrides } = run.progress;
  const gates = patched(PATCHES.missedGatesAreOverridden) ? gatesOfProposal(summary, releaseGates) : undefined;
  const proposal = {
    ...summary,
    ...(overrides === undefined ? {} : { overrides }),
    ...(gates === undefined ? {} : { gates }),
  };
  const digest = decisionDigest(proposal);
  const what = nameOf(run.input);
  const approve = decideCommand('approve', key, missedGates(gates ?? []));
  const decidable = { model, what, approve, reject: decideCommand('reject', key) };
  const keyOf = (when: string): string => `${workflowInfo().runId}/${when}`;
  const gain = proposal.overall.gain_per_day.value;
  await run.notifyAsBefore('approvalOpened', keyOf('opened'), {
    ...decidable,
    question: `${proposal.changes.length} thresholds would change, ${gain === null ? 'gain unknown' : `${gain.toFixed(2)} ${proposal.costs.currency} a day`}. More: sluice thresholds show ${key}`,
    table: overallLines(proposal),
    warning: missed(run),
    deadline: new Date(Date.now() + policy.deadline_hours * 3_600_000).toISOString(),
  });
  const outcome = await gate.decide(
    {
      model,
      requester: run.caller.actor,
      requesterMayApprove: policy.requester_may_approve,
      digest,
      deadlineSeconds: policy.deadline_hours * 3600,
      remindEverySeconds: policy.remind_every_hours * 3600,
      checkEdits: (edits) => checkEdits(edits, proposal.category_names),
      ...(gates === undefined ? {} : overriding(gates, releaseGates, revise)),
    },
    (deadline) => run.update({ status: 'WaitingForApproval', approval: { digest, deadline, proposal } }),
    (hoursLeft) =>
      run.notifyAsBefore('approvalReminder', keyOf(`reminder/${Math.ceil(hoursLeft)}`), { ...decidable, hoursLeft }),
  );
  if (outcome.verdict === 'expired') {
    run.update({ status: 'Expired', approval: null, why: 'no decision before the deadline' });
    run.notify('approvalExpired', 'approval-expired', { model, what });
    return null;
  }
  const { verdict, actor, reason, identity } = outcome;
  if (!policy.requester_may_approve) markUnproven(run, actor, identity);
  run.notify('approvalDecided', 'approval-decided', { model, what, verdict, actor, reason });
  run.update({ status: 'Running', approval: null, decidedBy: actor, decisionReason: reason });
  if (outcome.verdict === 'approve') return { ...outcome, digest };
  run.update({ status: 'Rejected', why: `rejected by ${actor}: ${reason}` });
  return null;
}

/** An approval counts when it overrides exactly the gates that what goes live misses: as proposed, or with its edits. */
function overriding(
  gates: readonly ProposalGate[],
  releaseGates: ModelSpec['gates'],
  revise: (edits: ThresholdEdits) => Promise<ThresholdSummary>,
): Pick<ApprovalPolicy, 'checkOverrides' | 'examine'> {
  return {
    checkOverrides: (overrides, edited) =>
      edited ? unknownOverride(gates, overrides) : overridesProblem(gates, overrides),
    examine: async ({ edits, overrides = [] }) =>
      edits === undefined
        ? null
        : overridesProblem(gatesOfProposal(await revise(edits), releaseGates), overrides, 'the edited proposal'),
  };
}

/** From here on it is on record that what goes live misses these gates, by this approval. */
export function recordOverrides(run: ThresholdsRun, { overrides }: Approved, gates: readonly ProposalGate[]): void {
  if (overrides === null) return;
  run.update({ overrides: [...(run.progress.overrides ?? []), ...overriddenGates(gates)] });
}

/** What an approver should know before anything else; null: there is nothing. */
function missed({ progress: { gates = [] } }: ThresholdsRun): string | null {
  const messages = gates.filter(({ passed }) => !passed).map(({ message }) => message);
  return messages.length === 0
    ? null
    : `A release with these figures would not pass its gates: ${messages.join('; ')}.`;
}
