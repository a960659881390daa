import { ApplicationFailure } from '@temporalio/common';
import { provenDigest } from '../../domain/approval/proven-digest.js';
import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import type { Pointer } from '../../domain/release/types.js';
import type { ThresholdSummary } from '../../domain/thresholds/summary.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import { runRollout } from '../rolloutBundle/run.js';
import type { Approved } from './approval.js';
import type { ThresholdsRun } from './run.js';

/** A rival that goes live first costs one more round; this many rivals in a row is a queue, not a race. */
const MAX_ROUNDS = 5;
const REPLICA_WAIT_SECONDS = 120;

/**
 * The live bundle with the approved thresholds, through the one door. Lookups that went live since the proposal are kept; another model or other
 * thresholds are what the approver never saw: then the run is superseded.
 */
export async function publish(
  run: ThresholdsRun,
  approved: ThresholdSummary,
  decision: Approved,
  gitSha: string,
): Promise<void> {
  const { model, key, requestedBy, reason } = run.input;
  const releaseId = `thresholds-${key}`;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const live = await shortCalls.readPointer({ model, environment: approved.environment });
    const refusal = await changedSince(approved, live);
    if (refusal !== null || live === null) return run.end('Superseded', refusal);
    const { bundle } = await run.step(
      'compose',
      () =>
        bulkIo.recomposeBundle({
          model,
          releaseId,
          base: { version: live.version, manifestSha256: live.manifest_sha256 },
          replacements: [
            {
              file: BUNDLE_FILE.thresholds,
              objectKey: approved.thresholdsKey,
              sha256: approved.thresholdsSha256,
              versionKey: null,
            },
          ],
          gitSha,
          createdAt: new Date().toISOString(),
        }),
      (made) => made.bundle?.version ?? 'nothing to change',
    );
    if (bundle === null) return run.end('Unchanged', `${live.version} has these thresholds already`);
    run.update({ bundleVersion: bundle.version });

    const rollout = await run.step('pointer swap', () =>
      runRollout({
        model,
        environment: approved.environment,
        bundle: { version: bundle.version, manifestSha256: bundle.manifestSha256 },
        base: { version: live.version, generation: live.generation },
        releaseId,
        actor: requestedBy,
        reason,
        replicaWaitSeconds: REPLICA_WAIT_SECONDS,
        kind: 'thresholds',
        change: {
          proposal_sha256: provenDigest(decision.digest, decision.edits),
          decided_by: decision.actor,
          decision_reason: decision.reason,
          decided_at: decision.at,
          values: approved.changes,
        },
      }),
    );
    run.log.adopt(rollout.steps);
    run.update({ generation: rollout.generation });
    if (rollout.outcome === 'live') return run.end('Live', null);
    if (rollout.outcome === 'overtaken') return run.end('Superseded', rollout.why);
    if (rollout.outcome !== 'base-moved')
      throw ApplicationFailure.nonRetryable(
        `the rollout of ${bundle.version} failed: ${rollout.why}; ${rollout.liveVersion ?? 'nothing'} is live`,
        'RolloutFailed',
      );
  }
  run.end('Superseded', `other changes went live first ${MAX_ROUNDS} times; propose the thresholds again`);
}

/** Why the approval does not hold for what is live now, or null. */
async function changedSince({ model, base, model_version }: ThresholdSummary, live: Pointer | null) {
  if (live === null) return `nothing of ${model} is live any more`;
  if (live.version === base.version) return null;
  const now = await bulkIo.thresholdsOfBundle({
    model,
    bundle: { version: live.version, manifestSha256: live.manifest_sha256 },
  });
  if (now.modelVersion !== model_version)
    return `model version ${now.modelVersion} is live, and the thresholds were made for ${model_version}: propose anew`;
  if (now.thresholdsSha256 !== base.thresholds_sha256)
    return `the live thresholds have changed since the proposal (${live.version}): propose anew`;
  return null;
}
