import { bundleIdOf, type BundleId } from '../../domain/bundle/id.js';
import type {
  BundleRef,
  EvaluationResult,
  ModelSpec,
  Pointer,
  SnapshotRef,
  TrainingResult,
} from '../../domain/release/types.js';
import { bulkIo } from '../common/proxies.js';
import { publishBundle, rolloutFailed, type Composed } from '../publish/publish.js';
import { judge } from './judge.js';
import type { ReleaseRun } from './run.js';

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
  const { releaseId } = run.input;
  const { overrides, overrideReason } = run.progress;
  const published = await publishBundle(run, {
    ...run.of,
    environment: 'production',
    releaseId,
    caller: run.caller,
    kind: 'model',
    change: {
      ...run.facts.note,
      ...(overrides === undefined ? {} : { overrides: [...overrides] }),
      ...(overrideReason === undefined ? {} : { override_reason: overrideReason }),
    },
    compose: composer(run, candidate),
  });
  switch (published.outcome) {
    case 'live':
      run.update({ generation: published.generation });
      return published;
    case 'unchanged':
    case 'superseded':
      run.update({ status: 'Superseded', why: published.why });
      return null;
    case 'failed':
      throw rolloutFailed(published);
    default:
      return published satisfies never;
  }
}

/** The release's bundle on what is live, compared with it again where the evaluation was against something else. */
function composer(run: ReleaseRun, candidate: Candidate): (live: Pointer | null) => Promise<Composed> {
  const { releaseId } = run.input;
  const { snapshot, trained, modelVersion, gitSha, evaluated } = candidate;
  let compared = evaluated.champion?.version ?? null;
  return async (live) => {
    const base = live === null ? null : bundleIdOf(live);
    const liveBundle = base === null ? null : await bulkIo.verifyBundle({ ...run.of, ...base });
    if (liveBundle !== null && Date.parse(liveBundle.asOf) > Date.parse(snapshot.asOf)) {
      const why = `${liveBundle.version} is live, trained on newer data (as of ${liveBundle.asOf})`;
      return { outcome: 'superseded', why };
    }
    const bundle = await run.step(
      'export',
      () =>
        bulkIo.composeBundle({
          ...run.of,
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
      return { outcome: 'unchanged', why: `the identical bundle ${liveBundle.version} is already live` };
    if (compared !== (base?.version ?? null) || bundle.rebasedLookups.length > 0) {
      const refusal = await compareAgain(run, candidate, bundle, base);
      if (refusal !== null) return { outcome: 'superseded', why: refusal };
      compared = base?.version ?? null;
    }
    return { outcome: 'composed', bundle };
  };
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
