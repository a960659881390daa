import { patched, workflowInfo } from '@temporalio/workflow';
import { decisionDigest } from '../../domain/release/decision-digest.js';
import type { EvaluationResult, ModelSpec, TrainingResult } from '../../domain/release/types.js';
import type { ApprovalGate } from '../approval/gate.js';
import { markUnproven } from '../common/identity.js';
import { PATCHES } from '../common/patches.js';
import { shortCalls } from '../common/proxies.js';
import type { Proposal } from './contract.js';
import { nameOf, remind, notifyOpened } from './notifications.js';
import type { ReleaseRun } from './run.js';

/** Whether the promotion is approved: at once where the policy is `auto`, else by a person who was shown exactly this. */
export async function isApproved(
  run: ReleaseRun,
  approval: ApprovalGate,
  spec: ModelSpec,
  trained: TrainingResult,
  evaluated: EvaluationResult,
  modelVersion: string,
): Promise<boolean> {
  const { model, releaseId } = run.input;
  if (spec.promotion.policy === 'auto') {
    Object.assign(run.facts, { decidedBy: 'policy auto', decisionReason: run.caller.reason });
    return true;
  }
  const { overrides } = run.progress;
  const proposal: Proposal = {
    model,
    releaseId,
    modelVersion,
    onnxSha256: trained.onnxSha256,
    operatingThreshold: trained.operatingThreshold,
    metrics: evaluated.metrics,
    gates: run.progress.gates,
    champion: evaluated.champion,
    ...(overrides === undefined ? {} : { overrides }),
    ...(patched(PATCHES.proposalsSayWhatChanged)
      ? await whatChanged(run, trained.runId, modelVersion, evaluated.champion?.version ?? null)
      : {}),
  };
  const digest = decisionDigest(proposal);
  const outcome = await approval.decide(
    {
      model,
      requester: run.caller.actor,
      requesterMayApprove: spec.promotion.requester_may_approve,
      digest,
      deadlineSeconds: spec.promotion.deadline_hours * 3600,
      remindEverySeconds: spec.promotion.remind_every_hours * 3600,
    },
    (deadline) => {
      run.update({ status: 'WaitingForApproval', approval: { digest, deadline, proposal } });
      notifyOpened(run, proposal, deadline);
    },
    (hoursLeft) => remind(run, hoursLeft, `${workflowInfo().runId}/reminder/${Math.ceil(hoursLeft)}`),
  );
  run.update({ status: 'Running', approval: null });
  if (outcome.verdict === 'expired') run.update({ status: 'Expired', why: 'no decision before the deadline' });
  else {
    const { verdict, actor, reason, at, identity } = outcome;
    Object.assign(run.facts, { decidedBy: actor, decisionReason: reason });
    Object.assign(run.facts.note, {
      proposal_sha256: digest,
      decided_by: actor,
      decision_reason: reason,
      decided_at: at,
      ...(identity === undefined ? {} : { decided_by_identity: identity }),
    });
    if (!spec.promotion.requester_may_approve) markUnproven(run, actor, identity);
    run.notify('approvalDecided', 'approval-decided', { model, what: nameOf(run), verdict, actor, reason });
  }
  if (outcome.verdict === 'reject')
    run.update({ status: 'Rejected', why: `rejected by ${outcome.actor}: ${outcome.reason}` });
  return outcome.verdict === 'approve';
}

async function whatChanged(
  run: ReleaseRun,
  runId: string,
  modelVersion: string,
  champion: string | null,
): Promise<Pick<Proposal, 'provenance' | 'data'>> {
  const provenance = await shortCalls.provenance({ ...run.of, runId, modelVersion, champion });
  const { data, dataSnapshotId } = run.progress;
  return { provenance, ...(data && dataSnapshotId !== null ? { data: { ...data, snapshotId: dataSnapshotId } } : {}) };
}
