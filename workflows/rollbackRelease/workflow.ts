import { ApplicationFailure } from '@temporalio/common';
import {
  CancellationScope,
  defineQuery,
  rootCause,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { StepLog } from '../common/progress.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import type { RolloutResult } from '../rolloutBundle/contract.js';
import { runRollout } from '../rolloutBundle/run.js';
import { PROGRESS_QUERY, STEPS, type RollbackInput, type RollbackProgress, type RollbackResult } from './contract.js';

const REPLICA_WAIT_SECONDS = 120;

/** An operator's undo: the last good bundle, or a named one, through the same door as any change; the registry follows what is live. */
export async function rollbackRelease(input: RollbackInput): Promise<RollbackResult> {
  const { model, environment, releaseId, actor, reason } = input;
  const log = new StepLog(STEPS, () =>
    setCurrentDetails(
      [
        `Rollback of **${model}** by ${actor}: ${reason}`,
        '',
        ...log.steps.map((s) => `- ${s.name}: ${s.status} ${s.detail ?? ''}`),
      ].join('\n'),
    ),
  );
  setHandler(defineQuery<RollbackProgress>(PROGRESS_QUERY), () => ({ steps: log.steps }));

  let target: string | null = null;
  try {
    const { live, bundle } = await log.run(
      'find the bundle',
      () => findTarget(input),
      (found) => `${found.live?.version ?? 'nothing'} → ${found.bundle.version}`,
    );
    target = bundle.version;
    await log.run(
      'authorise',
      async () => {
        const operation = `rollback ${model} ${environment} ${input.version ?? 'last good'}`;
        const answer = await shortCalls.authorizeOperation({
          model,
          workflowId: workflowInfo().workflowId,
          operation,
          operationId: releaseId,
          actor,
          reason,
          ...(input.proof === undefined ? {} : { proof: input.proof }),
        });
        if (!answer.allowed) throw ApplicationFailure.nonRetryable(answer.why, 'NotAuthorised');
      },
      () => actor,
    );

    const rollout = await log.run('pointer swap', () =>
      runRollout({
        model,
        environment,
        bundle: { version: bundle.version, manifestSha256: bundle.manifestSha256 },
        base: live === null ? null : { version: live.version, generation: live.generation },
        releaseId,
        actor,
        reason,
        replicaWaitSeconds: REPLICA_WAIT_SECONDS,
      }),
    );
    log.adopt(rollout.steps);
    if (rollout.outcome !== 'live')
      throw ApplicationFailure.nonRetryable(
        `the rollback to ${bundle.version} did not go live: ${rollout.why}`,
        'RolloutFailed',
        rollout,
      );
    if (environment === 'production')
      await log.run(
        'champion',
        () => followInRegistry(model, bundle.modelVersion, rollout),
        () => `version ${bundle.modelVersion}`,
      );
    await report(input, log, 'RolledBack', bundle.version, bundle.modelVersion, rollout.generation, reason);
    return { rollout, version: bundle.version, from: live?.version ?? null, steps: log.steps };
  } catch (error) {
    await CancellationScope.nonCancellable(() =>
      report(input, log, 'Failed', target, null, null, rootCause(error) ?? String(error)),
    );
    throw error;
  }
}

async function findTarget({ model, environment, version }: RollbackInput) {
  const live = await shortCalls.readPointer({ model, environment });
  // Staging begins empty and is filled by hand; production only ever by a release.
  if (live === null && (version === null || environment === 'production'))
    throw ApplicationFailure.nonRetryable(
      `nothing of ${model} is live in ${environment}: ${environment === 'staging' ? 'name the bundle to put there' : 'there is nothing to roll back'}`,
      'NotFound',
    );
  const ref =
    version === null
      ? await shortCalls.lastGoodBundle({ model, environment })
      : await shortCalls.findBundle({ model, version });
  if (ref === null)
    throw ApplicationFailure.nonRetryable(
      `no bundle before ${live?.version} was ever live and smoked: name one, \`sluice rollback VERSION\``,
      'NotFound',
    );
  if (ref.version === live?.version)
    throw ApplicationFailure.nonRetryable(`${live.version} is live already`, 'Conflict');
  return { live, bundle: await bulkIo.verifyBundle({ model, ...ref }) };
}

/** Champion and Production name what is live; the version that was rolled back is archived and says why. */
async function followInRegistry(model: string, modelVersion: string, rollout: RolloutResult): Promise<void> {
  const { production } = await shortCalls.registryState({ model });
  await shortCalls.setStage({ model, modelVersion, stage: 'Production' });
  await shortCalls.setAlias({ model, alias: 'champion', modelVersion });
  for (const former of production.filter((version) => version !== modelVersion)) {
    await shortCalls.setStage({ model, modelVersion: former, stage: 'Archived' });
    await shortCalls.tagModelVersion({
      model,
      modelVersion: former,
      tags: { 'sluice.rolled_back_at_generation': String(rollout.generation) },
    });
  }
}

async function report(
  input: RollbackInput,
  log: StepLog,
  status: string,
  bundleVersion: string | null,
  modelVersion: string | null,
  generation: number | null,
  reason: string,
): Promise<void> {
  await log.run('report', () =>
    shortCalls.writeReport({
      model: input.model,
      releaseId: input.releaseId,
      status,
      runId: null,
      modelVersion,
      bundleVersion,
      generation,
      stage: modelVersion === null ? null : 'Production',
      metrics: {},
      gates: [],
      dataSnapshotId: null,
      snapshotPrefix: null,
      actor: input.actor,
      reason,
      finishedAt: new Date().toISOString(),
    }),
  );
  log.close();
}
