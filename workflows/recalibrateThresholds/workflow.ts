import { allHandlersFinished, condition } from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import { bundleIdOf } from '../../domain/bundle/id.js';
import type { ThresholdsOf } from '../../activities/recalibration/contract.js';
import type { ThresholdEdits } from '../../domain/thresholds/edits.js';
import { gatesOfProposal } from '../../domain/thresholds/gates.js';
import type { ThresholdSummary } from '../../domain/thresholds/summary.js';
import { ApprovalGate } from '../approval/gate.js';
import { mayEndWithNothingLive, nothingLive, notifyNothingLive } from '../common/nothing-live.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import { admit } from './admit.js';
import { decideOn, recordOverrides } from './approval.js';
import type { ThresholdsInput, ThresholdsResult } from './contract.js';
import { endWithTooLittle, tooLittle } from './not-enough.js';
import { notifyEnd } from './notifications.js';
import { publish } from './publish.js';
import { ThresholdsRun } from './run.js';

const ENVIRONMENT = 'production';

/** New thresholds from feedback: computed and backtested, shown to a person, and live only as that person approved them. */
export async function recalibrateThresholds(input: ThresholdsInput): Promise<ThresholdsResult> {
  const run = new ThresholdsRun(input);
  const gate = new ApprovalGate();
  try {
    await recalibrate(run, gate);
  } catch (error) {
    run.fail(error);
    notifyEnd(run, error);
    await run.notified();
    throw error;
  }
  notifyEnd(run);
  await run.notified();
  await condition(allHandlersFinished);
  return run.result();
}

async function recalibrate(run: ThresholdsRun, gate: ApprovalGate): Promise<void> {
  const { model, key, asOf, overrides } = run.input;
  const { spec, gitSha } = await shortCalls.loadModelSpec({ model });
  const policy = spec.recalibration.approval;
  if (policy.policy !== 'manual')
    throw ApplicationFailure.nonRetryable(
      `${model}: thresholds change only by a person's approval, so /recalibration/approval/policy must be manual`,
      'InvalidSpec',
    );
  const deadlineHours =
    overrides?.deadlineSeconds === undefined ? policy.deadline_hours : overrides.deadlineSeconds / 3600;
  await admit(run, policy, deadlineHours);
  const live = await shortCalls.readPointer({ model, environment: ENVIRONMENT });
  if (live === null && mayEndWithNothingLive()) {
    notifyNothingLive(run, model);
    return run.end('NothingLive', nothingLive(model));
  }
  if (live === null)
    throw ApplicationFailure.nonRetryable(
      `nothing of ${model} is live, so there are no thresholds to recalibrate: release a model first`,
      'NotFound',
    );
  run.hold(live.version);
  const of: ThresholdsOf = {
    model,
    key,
    asOf,
    environment: ENVIRONMENT,
    live: bundleIdOf(live),
  };

  const proposal = await run.step(
    'propose',
    () => bulkIo.proposeThresholds(of).catch(tooLittle),
    (p) => ('tooLittle' in p ? p.tooLittle : `${p.counts.labelled} labelled rows, ${p.counts.frauds} frauds`),
  );
  if ('tooLittle' in proposal) return endWithTooLittle(run, proposal);
  run.update({ proposal, gates: gatesOfProposal(proposal, spec.gates) });
  const revise = (edits: ThresholdEdits): Promise<ThresholdSummary> =>
    bulkIo.reviseThresholds({ ...of, proposal, edits });
  if (!proposal.changed) return run.end('Unchanged', 'recalibration changes nothing');

  const decision = await run.step(
    'approve',
    () => decideOn(run, gate, proposal, { ...policy, deadline_hours: deadlineHours }, spec.gates, revise),
    (d) => (d === null ? (run.progress.why ?? '') : `by ${d.actor}: ${d.reason}`),
  );
  if (decision === null) return run.log.close();

  const { edits } = decision;
  const approved =
    edits === null
      ? proposal
      : await run.step(
          'edits',
          () => revise(edits),
          (p) => `${p.changes.length} thresholds differ from the live ones`,
        );
  const gates = gatesOfProposal(approved, spec.gates);
  if (edits !== null) run.update({ edited: approved, gates });
  recordOverrides(run, decision, gates);
  if (!approved.changed) return run.end('Unchanged', 'with these edits nothing differs from the live thresholds');

  await publish(run, approved, decision, gitSha);
}
