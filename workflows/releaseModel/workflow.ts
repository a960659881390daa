import { allHandlersFinished, condition, CancellationScope } from '@temporalio/workflow';
import { ApprovalGate } from '../approval/gate.js';
import { bulkIo, shortCalls, training } from '../common/proxies.js';
import { reasonOf } from '../common/reason.js';
import { UndoStack } from '../common/undo.js';
import { admit, type Admitted } from './admit.js';
import { becomeChampion } from './champion.js';
import type { ReleaseInput, ReleaseResult } from './contract.js';
import { checksFailed, evaluateAgainstLive } from './judge.js';
import { notifyEnd } from './notifications.js';
import { isApproved } from './promotion.js';
import { publish } from './publish.js';
import { reportOf } from './report.js';
import { ReleaseRun } from './run.js';

/** One release, from labelled transactions to a model that answers live requests. Each step below is a step of the runbook. */
export async function releaseModel(input: ReleaseInput): Promise<ReleaseResult> {
  const run = new ReleaseRun(input);
  const approval = new ApprovalGate();
  const undos = new UndoStack();
  const admitted = await admit(run).catch(async (error: unknown) => {
    run.fail(error);
    notifyEnd(run, error);
    await run.notified();
    throw error;
  });
  try {
    await release(run, admitted, approval, undos);
  } catch (error) {
    run.update({ status: 'Failed', why: reasonOf(error), approval: null });
    notifyEnd(run, error);
    try {
      await undos.run(run);
    } finally {
      await CancellationScope.nonCancellable(() => report(run));
    }
    throw error;
  }
  notifyEnd(run);
  if (run.progress.status !== 'Released') await undos.run(run);
  await report(run);
  await condition(allHandlersFinished);
  return run.result();
}

async function release(run: ReleaseRun, admitted: Admitted, approval: ApprovalGate, undos: UndoStack): Promise<void> {
  const { releaseId, asOf } = run.input;
  const { spec, gitSha } = admitted;

  const snapshot = await run.step(
    'snapshot',
    () => bulkIo.snapshot({ ...run.of, releaseId, asOf }),
    (s) => `${s.rows} rows, ${s.dataSnapshotId}`,
  );
  run.facts.snapshotPrefix = snapshot.prefix;
  const { dataSnapshotId, from, to, rows, positives } = snapshot;
  run.update({ dataSnapshotId, data: { from, to, rows, positives } });

  await run.step(
    'validate data',
    async () => {
      const { passed, checks } = await bulkIo.validateData({ ...run.of, snapshot });
      if (!passed) throw checksFailed('DataCheckFailed', 'the data did not pass its checks', checks);
      return checks;
    },
    (checks) => `${checks.length} checks passed`,
  );

  const seed = run.input.overrides?.seed;
  const trained = await run.step(
    'train',
    () =>
      training.train({
        ...run.of,
        releaseId,
        snapshot,
        gitSha,
        ...(seed === undefined ? {} : { overrides: { seed } }),
      }),
    (t) => `MLflow run ${t.runId}`,
  );
  run.update({ training: trained });

  const evaluated = await run.step(
    'evaluate',
    () => evaluateAgainstLive(run, spec, snapshot, trained),
    (e) => `auc_pr ${e.metrics['auc_pr']?.toFixed(4) ?? 'not measured'}`,
  );

  const before = await shortCalls.registryState(run.of);
  const unregister = async (): Promise<void> => {
    const modelVersion = run.progress.modelVersion;
    if (modelVersion !== null) await shortCalls.setStage({ ...run.of, modelVersion, stage: 'Archived' });
    await shortCalls.setAlias({ ...run.of, alias: 'challenger', modelVersion: before.challenger });
  };
  const { modelVersion } = await run.step(
    'register',
    () =>
      undos.before('register', unregister, () =>
        shortCalls.register({
          ...run.of,
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
      const demote = () => shortCalls.setStage({ ...run.of, modelVersion, stage: 'Staging' });
      await undos.before('promote', demote, () =>
        shortCalls.setStage({ ...run.of, modelVersion, stage: 'Production' }),
      );
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
    () => becomeChampion(run.of, modelVersion, rollout),
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
  await run.notified();
}
