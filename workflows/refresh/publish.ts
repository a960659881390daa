import { ApplicationFailure } from '@temporalio/common';
import type { RolloutInput } from '../rolloutBundle/contract.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import { runRollout } from '../rolloutBundle/run.js';
import type { ArtifactProgress, LiveBundle } from './contract.js';
import type { RefreshRun } from './run.js';

/** A rival that goes live first costs one more round; this many rivals in a row is a queue, not a race. */
const MAX_ROUNDS = 5;
const REPLICA_WAIT_SECONDS = 120;

/** What is live now; a refresh has nothing to stand on where nothing is. */
export async function liveBundle(model: string): Promise<LiveBundle & { generation: number }> {
  const live = await shortCalls.readPointer({ model, environment: 'production' });
  if (live === null)
    throw ApplicationFailure.nonRetryable(
      `nothing of ${model} is live, so there is nothing to refresh: release a model first, \`sluice release start\``,
      'NotFound',
    );
  return { version: live.version, manifestSha256: live.manifest_sha256, generation: live.generation };
}

/**
 * One bundle with these artifacts, through the one door. It is composed on what is live now; where something else goes live first, anew
 * on that. What has become older meanwhile, or equal, stays out; each artifact is told what became of it.
 * @param shown `in steps`: each part of it is a step of the run; `as one`: the caller's step covers it
 */
export async function publish(
  run: RefreshRun,
  gitSha: string,
  artifacts: readonly ArtifactProgress[],
  change: { releaseId: string; note?: RolloutInput['change'] },
  shown: 'in steps' | 'as one',
): Promise<void> {
  const { model } = run.input;
  const step: RefreshRun['step'] = (name, work, detail) => (shown === 'as one' ? work() : run.step(name, work, detail));
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const { generation, ...base } = await liveBundle(model);
    const { bundle, kept } = await step(
      'compose',
      () =>
        bulkIo.recomposeBundle({
          model,
          releaseId: change.releaseId,
          base,
          replacements: artifacts.map(({ file, objectKey, sha256, versionKey }) => ({
            file,
            objectKey,
            sha256,
            versionKey,
          })),
          gitSha,
          createdAt: new Date().toISOString(),
        }),
      (composed) => composed.bundle?.version ?? 'nothing is left to change',
    );
    if (bundle === null) return settle(run, artifacts, kept);

    const rollout = await step('pointer swap', () =>
      runRollout({
        model,
        environment: 'production',
        bundle: { version: bundle.version, manifestSha256: bundle.manifestSha256 },
        base: { version: base.version, generation },
        releaseId: change.releaseId,
        actor: run.requestedBy,
        reason: run.reason,
        replicaWaitSeconds: REPLICA_WAIT_SECONDS,
        kind: 'lookups',
        ...(change.note === undefined ? {} : { change: change.note }),
      }),
    );
    if (shown === 'in steps') run.log.adopt(rollout.steps);
    if (rollout.outcome === 'live') {
      run.update({ bundleVersion: bundle.version, generation: rollout.generation });
      return settle(run, artifacts, kept);
    }
    if (rollout.outcome !== 'base-moved')
      throw ApplicationFailure.nonRetryable(
        `the rollout of ${bundle.version} failed: ${rollout.why}; ${rollout.liveVersion ?? 'nothing'} is live`,
        'RolloutFailed',
      );
  }
  throw ApplicationFailure.nonRetryable(
    `other changes went live first ${MAX_ROUNDS} times; run the refresh again`,
    'RolloutFailed',
  );
}

function settle(
  run: RefreshRun,
  artifacts: readonly ArtifactProgress[],
  kept: Awaited<ReturnType<typeof bulkIo.recomposeBundle>>['kept'],
): void {
  for (const artifact of artifacts) {
    const stays = kept.find(({ file }) => file === artifact.file);
    run.settle(artifact, stays?.state ?? 'live', stays?.why);
  }
}
