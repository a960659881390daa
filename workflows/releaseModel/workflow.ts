import { allHandlersFinished, condition, CancellationScope, workflowInfo } from '@temporalio/workflow';
import { ApprovalGate } from '../approval/gate.js';
import { bulkIo, shortCalls, training } from '../common/proxies.js';
import { reasonOf } from '../common/reason.js';
import { UndoStack } from '../common/undo.js';
import { admit, type Admitted } from './admit.js';
import { becomeChampion } from './champion.js';
import type { ReleaseInput, ReleaseResult } from './contract.js';
import { checksFailed, evaluateAgainstLive } from './judge.js';
import { isApproved } from './promotion.js';
import { publish } from './publish.js';
import { reportOf } from './report.js';
import { ReleaseRun } from './run.js';

/** One release, from labelled transactions to a model that answers live requests. Each step below is a step of the runbook. */
export async function releaseModel(input: ReleaseInput): Promise<ReleaseResult> {
  const run = new ReleaseRun(input);
  const approval = new ApprovalGate();
  const undos = new UndoStack();
  const admitted = await admit(run).catch((error: unknown) => {
    run.fail(error);
    throw error;
  });
  try {
    await release(run, admitted, approval, undos);
  } catch (error) {
    run.update({ status: 'Failed', why: reasonOf(error), approval: null });
    try {
      await undos.run(workflowInfo().workflowId);
    } finally {
      await CancellationScope.nonCancellable(() => report(run));
    }
    throw error;
  }
  if (run.progress.status !== 'Released') await undos.run(workflowInfo().workflowId);
  await report(run);
  await condition(allHandlersFinished);
  return run.result();
}

async function release(run: ReleaseRun, admitted: Admitted, approval: ApprovalGate, undos: UndoStack): Promise<void> {
  const { model, releaseId, asOf } = run.input;
  const { spec, gitSha } = admitted;

  const snapshot = await run.step(
    'snapshot',
    () => bulkIo.snapshot({ model, releaseId, asOf }),
    (s) => `${s.rows} rows, ${s.dataSnapshotId}`,
  );
  run.facts.snapshotPrefix = snapshot.prefix;
  run.update({ dataSnapshotId: snapshot.dataSnapshotId });

  await run.step(
    'validate data',
    async () => {
      const { passed, checks } = await bulkIo.validateData({ model, snapshot });
      if (!passed) throw checksFailed('DataCheckFailed', 'the data did not pass its checks', checks);
      return checks;
    },
    (checks) => `${checks.length} checks passed`,
  );

  const seed = run.input.overrides?.seed;
  const trained = await run.step(
    'train',
    () =>
      training.train({ model, releaseId, snapshot, gitSha, ...(seed === undefined ? {} : { overrides: { seed } }) }),
    (t) => `MLflow run ${t.runId}`,
  );
  run.update({ training: trained });

  const evaluated = await run.step(
    'evaluate',
    () => evaluateAgainstLive(run, spec, snapshot, trained),
    (e) => `auc_pr ${e.metrics['auc_pr']?.toFixed(4) ?? 'not measured'}`,
  );

  const before = await shortCalls.registryState({ model });
  const unregister = async (): Promise<void> => {
    const modelVersion = run.progress.modelVersion;
    if (modelVersion !== null) await shortCalls.setStage({ model, modelVersion, stage: 'Archived' });
    await shortCalls.setAlias({ model, alias: 'challenger', modelVersion: before.challenger });
  };
  const { modelVersion } = await run.step(
    'register',
    () =>
      undos.before('register', unregister, () =>
        shortCalls.register({
          model,
          runId: trained.runId,
          releaseId,
          dataSnapshotId: snapshot.dataSnapshotId,
          gitSha,
          metrics: evaluated.metrics,
        }),
      ),
    (r) => `version ${r.modelVersion}, Staging`,
  );
  run.update({ modelVersion });

  const promoted = await run.step(
    'promote',
    async () => {
      if (!(await isApproved(run, approval, spec, trained, evaluated, modelVersion))) return false;
      // The former version keeps its own stage until this one is live, so there is only ours to take back.
      const demote = () => shortCalls.setStage({ model, modelVersion, stage: 'Staging' });
      await undos.before('promote', demote, () => shortCalls.setStage({ model, modelVersion, stage: 'Production' }));
      return true;
    },
    (done) => (done ? 'Production' : (run.progress.why ?? 'not promoted')),
  );
  if (!promoted) return;

  const rollout = await publish(run, { spec, snapshot, trained, evaluated, modelVersion, gitSha });
  if (rollout === null) return;
  undos.clear();

  await run.step(
    'champion',
    () => becomeChampion(model, modelVersion, rollout),
    (outcome) => outcome,
  );
  run.update({ status: 'Released' });
}

async function report(run: ReleaseRun): Promise<void> {
  await run.step(
    'report',
    () => shortCalls.writeReport(reportOf(run)),
    ({ directory }) => directory,
  );
  run.log.close();
}
