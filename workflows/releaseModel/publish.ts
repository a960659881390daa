import { ApplicationFailure } from '@temporalio/common';
import type {
  BundleRef,
  EvaluationResult,
  ModelSpec,
  SnapshotRef,
  TrainingResult,
} from '../../domain/release/types.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import { runRollout } from '../rolloutBundle/run.js';
import { judge } from './judge.js';
import type { ReleaseRun } from './run.js';
import type { BundleId } from '../../domain/bundle/id.js';

/** A rival that goes live first costs one more round; this many rivals in a row is a queue, not a race. */
const MAX_ROUNDS = 5;
const REPLICA_WAIT_SECONDS = 120;

interface Candidate {
  spec: ModelSpec;
  snapshot: SnapshotRef;
  trained: TrainingResult;
  evaluated: EvaluationResult;
  modelVersion: string;
  gitSha: string;
}

/**
 * Export, then the rollout. The bundle is composed on what is live now; where something else went live since the evaluation, the
 * newer lookups are taken over and the comparison runs again on the result, or the release is superseded (null). It never undoes
 * what came in between.
 */
export async function publish(
  run: ReleaseRun,
  candidate: Candidate,
): Promise<{ version: string; generation: number } | null> {
  const { model, releaseId, requestedBy, reason } = run.input;
  let compared = candidate.evaluated.champion?.version ?? null;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const live = await shortCalls.readPointer({ model, environment: 'production' });
    const base = live === null ? null : { version: live.version, manifestSha256: live.manifest_sha256 };
    const liveBundle = base === null ? null : await bulkIo.verifyBundle({ model, ...base });
    if (liveBundle !== null && Date.parse(liveBundle.asOf) > Date.parse(candidate.snapshot.asOf)) {
      return supersede(run, `${liveBundle.version} is live, trained on newer data (as of ${liveBundle.asOf})`);
    }
    const { snapshot, trained, modelVersion, gitSha, evaluated } = candidate;
    const bundle = await run.step(
      'export',
      () =>
        bulkIo.composeBundle({
          model,
          releaseId,
          runId: trained.runId,
          modelVersion,
          snapshot,
          artifacts: trained.artifacts,
          trainedAt: trained.trainedAt,
          gitSha,
          metrics: evaluated.metrics,
          base,
          createdAt: new Date().toISOString(),
        }),
      (b) => (b.rebasedLookups.length === 0 ? b.version : `${b.version}, with the live ${b.rebasedLookups.join(', ')}`),
    );
    run.update({ bundleVersion: bundle.version });
    if (liveBundle?.contentSha256 === bundle.contentSha256)
      return supersede(run, `${liveBundle.version} is live and scores alike: same model, same artifacts`);
    if (compared !== (base?.version ?? null) || bundle.rebasedLookups.length > 0) {
      const refusal = await compareAgain(run, candidate, bundle, base);
      if (refusal !== null) return supersede(run, refusal);
      compared = base?.version ?? null;
    }

    const rollout = await run.step('pointer swap', () =>
      runRollout({
        model,
        environment: 'production',
        bundle: { version: bundle.version, manifestSha256: bundle.manifestSha256 },
        base: live === null ? null : { version: live.version, generation: live.generation },
        releaseId,
        actor: requestedBy,
        reason,
        replicaWaitSeconds: REPLICA_WAIT_SECONDS,
        kind: 'model',
      }),
    );
    run.log.adopt(rollout.steps);
    run.update({ generation: rollout.generation });
    if (rollout.outcome === 'live') return { version: bundle.version, generation: rollout.generation as number };
    if (rollout.outcome === 'overtaken') return supersede(run, rollout.why);
    if (rollout.outcome !== 'base-moved') {
      const after =
        rollout.outcome === 'undone'
          ? `${rollout.liveVersion} is live again`
          : 'there was no former bundle to go back to';
      throw ApplicationFailure.nonRetryable(
        `the rollout of ${bundle.version} failed: ${rollout.why}; ${after}`,
        'RolloutFailed',
      );
    }
  }
  return supersede(run, `other changes went live first ${MAX_ROUNDS} times; start the release again`);
}

/** The comparison once more, with the re-based bundle's own lookups, against what is live now. Returns why it may not go live, or null. */
async function compareAgain(
  run: ReleaseRun,
  candidate: Candidate,
  bundle: BundleRef,
  base: BundleId | null,
): Promise<string | null> {
  const { gates } = await judge(run, candidate, bundle, base);
  const failures = gates.filter(({ passed }) => !passed);
  return failures.length === 0
    ? null
    : `on the artifacts that are live now: ${failures.map(({ message }) => message).join('; ')}`;
}

function supersede(run: ReleaseRun, why: string): null {
  run.update({ status: 'Superseded', why });
  return null;
}
