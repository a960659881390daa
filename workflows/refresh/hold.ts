import { decisionDigest } from '../../domain/release/decision-digest.js';
import type { ModelSpec } from '../../domain/release/types.js';
import type { ApprovalGate } from '../approval/gate.js';
import { markUnproven } from '../common/identity.js';
import type { ArtifactProgress, HeldProposal } from './contract.js';
import { notifyHeld, remind, notifyDecided, notifyExpired } from './notifications.js';
import { publish } from './publish.js';
import type { RefreshRun } from './run.js';

/** What lies beyond its tolerance goes live when a person says so, in a bundle of its own on whatever is live then. */
export async function decideOnHeld(
  run: RefreshRun,
  gate: ApprovalGate,
  spec: ModelSpec,
  gitSha: string,
  comparedWith: string,
  held: readonly ArtifactProgress[],
): Promise<void> {
  const { model, key } = run.input;
  const { approval } = spec.refresh;
  const proposal: HeldProposal = {
    model,
    key,
    comparedWith,
    artifacts: held.map(({ job, lookup, file, sha256, version, asOf, rows, checks, notes }) => ({
      job,
      lookup,
      file,
      sha256,
      version,
      asOf,
      rows,
      checks,
      notes,
    })),
  };
  const digest = decisionDigest(proposal);
  const alone = approval.requester_may_approve;
  if (!alone) markUnproven(run, run.caller.actor, run.requesterIdentity);
  const outcome = await run.step(
    'decision',
    () =>
      gate.decide(
        {
          model,
          requester: run.caller.actor,
          requesterMayApprove: alone,
          digest,
          deadlineSeconds: approval.deadline_hours * 3600,
          remindEverySeconds: approval.remind_every_hours * 3600,
        },
        (deadline) => {
          run.update({ status: 'WaitingForApproval', approval: { digest, deadline, proposal } });
          run.trackNotification(notifyHeld(run, held, deadline));
        },
        (hoursLeft) => {
          run.trackNotification(remind(run, hoursLeft));
          return Promise.resolve();
        },
      ),
    (o) => (o.verdict === 'expired' ? 'nobody decided' : `${o.verdict} by ${o.actor}: ${o.reason}`),
  );
  run.update({ status: 'Running', approval: null });

  if (outcome.verdict === 'expired') {
    notifyExpired(run);
    return held.forEach((artifact) => run.settle(artifact, 'expired'));
  }
  notifyDecided(run, outcome.verdict, outcome.actor, outcome.reason);
  run.update({ decidedBy: outcome.actor });
  const { actor, identity } = outcome;
  if (!alone) markUnproven(run, actor, identity);
  if (outcome.verdict === 'reject') return held.forEach((artifact) => run.settle(artifact, 'rejected'));
  const note = {
    proposal_sha256: digest,
    decided_by: outcome.actor,
    decision_reason: outcome.reason,
    decided_at: outcome.at,
    ...(identity === undefined ? {} : { decided_by_identity: identity }),
    ...(run.requesterIdentity === undefined ? {} : { requested_by_identity: run.requesterIdentity }),
  };
  await run.step(
    'publish approved',
    () => publish(run, gitSha, held, { releaseId: `${run.releaseId}-approved`, note }, 'as one'),
    () => held.map(({ lookup, outcome: end }) => `${lookup}: ${end}`).join(', '),
  );
}
