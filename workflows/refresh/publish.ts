import { ApplicationFailure } from '@temporalio/common';
import { patched } from '@temporalio/workflow';
import { bundleIdOf, type BundleId } from '../../domain/bundle/id.js';
import type { Pointer } from '../../domain/release/types.js';
import { mayEndWithNothingLive } from '../common/nothing-live.js';
import { PATCHES } from '../common/patches.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import { publishBundle, rolloutFailed } from '../publish/publish.js';
import type { RolloutInput } from '../rolloutBundle/contract.js';
import type { ArtifactProgress } from './contract.js';
import { notifySuperseded } from './notifications.js';
import type { RefreshRun } from './run.js';

type Kept = Awaited<ReturnType<typeof bulkIo.recomposeBundle>>['kept'];

/** The bundle that is live now; null where nothing is: a refresh replaces lookups of a live bundle. */
export async function liveBundle(model: string): Promise<BundleId | null> {
  const live = await shortCalls.readPointer({ model, environment: 'production' });
  if (live === null && mayEndWithNothingLive()) return null;
  return bundleIdOf(required(model, live));
}

function required(model: string, live: Pointer | null): Pointer {
  if (live === null)
    throw ApplicationFailure.nonRetryable(
      `nothing of ${model} is live, so there is nothing to refresh: release a model first, \`sluice release start\``,
      'NotFound',
    );
  return live;
}

/**
 * One bundle with these artifacts, through the one door. Those that have become older meanwhile, or equal, stay out; the outcome of each
 * artifact is recorded.
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
  let kept: Kept = [];
  const publisher = { log: shown === 'as one' ? null : run.log, hold: run.hold.bind(run) };
  const published = await publishBundle(publisher, {
    model,
    environment: 'production',
    releaseId: change.releaseId,
    caller: run.caller,
    kind: 'lookups',
    ...(change.note === undefined ? {} : { change: change.note }),
    compose: async (live) => {
      const base = bundleIdOf(required(model, live));
      const composed = await step(
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
        ({ bundle }) => bundle?.version ?? 'nothing is left to change',
      );
      kept = composed.kept;
      return composed.bundle === null
        ? { outcome: 'unchanged', why: 'nothing is left to change' }
        : { outcome: 'composed', bundle: composed.bundle };
    },
  });
  switch (published.outcome) {
    case 'live':
      run.update({ bundleVersion: published.version, generation: published.generation });
      return settle(run, artifacts, kept);
    case 'unchanged':
      return settle(run, artifacts, kept);
    case 'superseded':
      return supersede(run, artifacts, published.why);
    case 'failed':
      throw rolloutFailed(published);
    default:
      published satisfies never;
  }
}

function settle(run: RefreshRun, artifacts: readonly ArtifactProgress[], kept: Kept): void {
  for (const artifact of artifacts) {
    const stays = kept.find(({ file }) => file === artifact.file);
    run.settle(artifact, stays?.state ?? 'live', stays?.why);
  }
}

/** Other changes were faster. Nobody watches a night, so it says so: these artifacts go live with the next run only. */
function supersede(run: RefreshRun, artifacts: readonly ArtifactProgress[], why: string): void {
  if (!patched(PATCHES.refreshSuperseded)) throw ApplicationFailure.nonRetryable(why, 'RolloutFailed');
  for (const artifact of artifacts) run.settle(artifact, 'superseded');
  run.update({ why: run.progress.why === null ? why : `${run.progress.why}; ${why}` });
  run.trackNotification(notifySuperseded(run, artifacts, why));
}
