import {
  allHandlersFinished,
  condition,
  CancellationScope,
  isCancellation,
  rootCause,
  workflowInfo,
} from '@temporalio/workflow';
import { ApplicationFailure } from '@temporalio/common';
import { decisionDigest } from '../../domain/release/decision-digest.js';
import { allPassed, compareWithChampion, evaluateGates } from '../../domain/gates/gates.js';
import type { EvaluationResult, ModelSpec, SnapshotRef, TrainingResult } from '../../domain/release/types.js';
import { bulk, light, training } from '../proxies.js';
import { UndoStack } from '../undo.js';
import { ApprovalGate } from './approval.js';
import type { Proposal, ReleaseInput, ReleaseResult } from './contract.js';
import { publish } from './publish.js';
import { applyOverrides, ReleaseRun } from './run.js';

/** One release, from labelled transactions to a model that answers live requests. Each step below is a step of the runbook. */
export async function releaseModel(input: ReleaseInput): Promise<ReleaseResult> {
  const run = new ReleaseRun(input);
  const approval = new ApprovalGate();
  const undos = new UndoStack();
  try {
    await release(run, approval, undos);
  } catch (error) {
    run.fail(isCancellation(error) ? 'cancelled' : (rootCause(error) ?? String(error)));
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

async function release(run: ReleaseRun, approval: ApprovalGate, undos: UndoStack): Promise<void> {
  const { model, releaseId, asOf } = run.input;
  const loaded = await light.loadModelSpec({ model });
  const spec = applyOverrides(loaded.spec, run.input.overrides);
  const { gitSha } = loaded;

  const snapshot = await run.step(
    'snapshot',
    () => bulk.snapshot({ model, releaseId, asOf }),
    (s) => `${s.rows} rows, ${s.dataSnapshotId}`,
  );
  run.update({ dataSnapshotId: snapshot.dataSnapshotId, snapshotPrefix: snapshot.prefix });

  await run.step(
    'validate data',
    async () => {
      const { passed, checks } = await bulk.validateData({ model, snapshot });
      if (!passed) throw failed('DataCheckFailed', 'the data did not pass its checks', checks);
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
    () => evaluate(run, spec, snapshot, trained),
    (e) => `auc_pr ${e.metrics['auc_pr']?.toFixed(4) ?? 'not measured'}`,
  );

  const before = await light.registryState({ model });
  undos.before('register', async () => {
    const modelVersion = run.progress.modelVersion;
    if (modelVersion !== null) await light.setStage({ model, modelVersion, stage: 'Archived' });
    await light.setAlias({ model, alias: 'challenger', modelVersion: before.challenger });
  });
  const { modelVersion } = await run.step(
    'register',
    () =>
      light.register({
        model,
        runId: trained.runId,
        releaseId,
        dataSnapshotId: snapshot.dataSnapshotId,
        gitSha,
        metrics: evaluated.metrics,
      }),
    (r) => `version ${r.modelVersion}, Staging`,
  );
  run.update({ modelVersion });

  const promoted = await run.step(
    'promote',
    async () => {
      if (!(await approved(run, approval, spec, trained, evaluated, modelVersion))) return false;
      undos.before('promote', async () => {
        for (const former of before.production)
          await light.setStage({ model, modelVersion: former, stage: 'Production' });
      });
      await light.setStage({ model, modelVersion, stage: 'Production' });
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
    async () => {
      await light.tagModelVersion({
        model,
        modelVersion,
        tags: { 'sluice.bundle': rollout.version, 'sluice.generation': String(rollout.generation) },
      });
      await light.setAlias({ model, alias: 'champion', modelVersion });
      await light.setAlias({ model, alias: 'challenger', modelVersion: null });
      for (const former of before.production.filter((version) => version !== modelVersion))
        await light.setStage({ model, modelVersion: former, stage: 'Archived' });
    },
    () => `version ${modelVersion}`,
  );
  run.update({ status: 'Released' });
}

/** Held-out figures, the champion's on the same rows, and the gates over both. */
async function evaluate(
  run: ReleaseRun,
  spec: ModelSpec,
  snapshot: SnapshotRef,
  trained: TrainingResult,
): Promise<EvaluationResult> {
  const { model, releaseId } = run.input;
  const live = await light.readPointer({ model, environment: 'production' });
  const bundle = live === null ? null : { version: live.version, manifestSha256: live.manifest_sha256 };
  const champion =
    bundle === null ? null : { ...bundle, ...(await bulk.championFeatures({ model, snapshot, bundle, releaseId })) };
  const result = await training.evaluate({ model, releaseId, snapshot, runId: trained.runId, champion });
  const gates = [
    ...evaluateGates(result.metrics, spec.gates),
    ...compareWithChampion(result.metrics, result.champion, spec.champion_comparison),
  ];
  run.update({ metrics: result.metrics, gates });
  if (!allPassed(gates)) throw failed('GateFailed', 'the model did not pass its gates', gates);
  return result;
}

/** Whether the promotion is approved: at once where the policy is `auto`, else by a person who was shown exactly this. */
async function approved(
  run: ReleaseRun,
  approval: ApprovalGate,
  spec: ModelSpec,
  trained: TrainingResult,
  evaluated: EvaluationResult,
  modelVersion: string,
): Promise<boolean> {
  const { model, releaseId, requestedBy } = run.input;
  if (spec.promotion.policy === 'auto') {
    run.update({ decidedBy: 'policy auto', decisionReason: run.input.reason });
    return true;
  }
  const proposal: Proposal = {
    model,
    releaseId,
    modelVersion,
    onnxSha256: trained.onnxSha256,
    operatingThreshold: trained.operatingThreshold,
    metrics: evaluated.metrics,
    gates: run.progress.gates,
    champion: evaluated.champion,
  };
  const digest = decisionDigest(proposal);
  const outcome = await approval.decide(
    {
      model,
      requester: requestedBy,
      requesterMayApprove: spec.promotion.requester_may_approve,
      digest,
      deadlineSeconds: spec.promotion.deadline_hours * 3600,
      remindEverySeconds: spec.promotion.remind_every_hours * 3600,
    },
    (deadline) => run.update({ status: 'WaitingForApproval', approval: { digest, deadline, proposal } }),
    (hoursLeft) =>
      light.notify({
        key: `${workflowInfo().runId}/reminder/${Math.ceil(hoursLeft)}`,
        severity: 'warning',
        title: `${model} ${releaseId} waits for a decision`,
        text: `${hoursLeft.toFixed(1)} hours are left. Decide: sluice release approve|reject ${releaseId} --reason WHY`,
      }),
  );
  run.update({ status: 'Running', approval: null });
  if (outcome.verdict === 'expired') run.update({ status: 'Expired', why: 'no decision before the deadline' });
  else run.update({ decidedBy: outcome.actor, decisionReason: outcome.reason });
  if (outcome.verdict === 'reject')
    run.update({ status: 'Rejected', why: `rejected by ${outcome.actor}: ${outcome.reason}` });
  return outcome.verdict === 'approve';
}

function failed(
  type: 'GateFailed' | 'DataCheckFailed',
  message: string,
  checks: { passed: boolean; message: string }[],
): ApplicationFailure {
  const reasons = checks.filter(({ passed }) => !passed).map((check) => check.message);
  return ApplicationFailure.create({
    type,
    message: `${message}: ${reasons.join('; ')}`,
    nonRetryable: true,
    details: [checks],
  });
}

async function report(run: ReleaseRun): Promise<void> {
  await run.step(
    'report',
    () => light.writeReport(run.report()),
    ({ directory }) => directory,
  );
  run.close();
}
