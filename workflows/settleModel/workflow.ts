import { isCancellation, workflowInfo } from '@temporalio/workflow';
import { bundleIdOf } from '../../domain/bundle/id.js';
import { notificationOf } from '../../domain/notification/events.js';
import { mendingOf, type LiveState, type Mending } from '../../domain/release/live-state.js';
import { page, stepsTable, titleLine } from '../common/details.js';
import { handOverSince, logUnsent } from '../common/notify.js';
import { passingNotification, settling } from '../common/proxies.js';
import { reasonOf } from '../common/reason.js';
import { Run } from '../common/run.js';
import { AskedReplicas } from '../rolloutBundle/ask-replicas.js';
import type { RolloutInput } from '../rolloutBundle/contract.js';
import { recordVerdict } from '../rolloutBundle/verdict.js';
import { STEPS, type SettleInput, type SettleProgress, type SettleResult } from './contract.js';

/** The live bundle has been live for a while, so its replicas answer soon or not at all. */
const REPLICA_WAIT_SECONDS = 30;

/**
 * Puts right what a run that was terminated left behind: a live bundle that nobody smoke-tested, an alias and stages that name another
 * version. The pointer decides. Says what it has done, and never moves the pointer.
 */
export async function settleModel(input: SettleInput): Promise<SettleResult> {
  const run = new Run<(typeof STEPS)[number], SettleProgress>({
    model: input.model,
    steps: STEPS,
    progress: (steps) => ({ status: 'Running', steps, why: null }),
    describe: ({ status, why, steps }) =>
      page(titleLine(input.model, 'what stopped runs left behind', status, why), stepsTable(steps)),
    upsertedBefore: false,
  });
  const mended: string[] = [];
  let failed: string | null = null;
  try {
    await settle(input, run, mended);
  } catch (error) {
    if (isCancellation(error)) throw error;
    failed = reasonOf(error);
  }
  if (mended.length > 0 || failed !== null) await notifyPeople(input, mended, failed);
  run.end(failed === null ? 'Settled' : 'Failed', failed ?? mended.join('; '));
  return { mended, failed };
}

async function settle(
  input: SettleInput,
  run: Run<(typeof STEPS)[number], SettleProgress>,
  mended: string[],
): Promise<void> {
  const state = await run.step('look', () => settling.lookAtLive(input));
  if (state === null) return;
  run.hold(state.live.version);
  const mending = mendingOf(state);
  if (mending.smoke) {
    const vectors = await run.step(
      'smoke',
      () => smoke(input, state),
      (count) => `${count} golden vectors equal`,
    );
    mended.push(`${state.live.version} was live and never smoke-tested: ${vectors} golden vectors are equal`);
  }
  const { champion, promote, archive, challenger } = mending;
  if (champion || promote || challenger || archive.length > 0)
    await run.step('registry', () => mendRegistry(input.model, state, mending, mended));
}

/** @throws the failure of the replica that answers otherwise; then the registry is left alone, since the bundle may have to go */
async function smoke({ model, environment }: SettleInput, { live }: LiveState): Promise<number> {
  const rollout: RolloutInput = {
    model,
    environment,
    bundle: bundleIdOf(live),
    base: null,
    releaseId: live.release_id,
    caller: { actor: live.actor, reason: live.reason },
    replicaWaitSeconds: REPLICA_WAIT_SECONDS,
    kind: 'model',
  };
  const replicas = new AskedReplicas(rollout);
  await replicas.reload(live);
  const vectors = await replicas.smoke(live);
  await replicas.notified();
  await recordVerdict(rollout, live, 'Successful', 'smoked after its rollout had been stopped');
  return vectors;
}

async function mendRegistry(
  model: string,
  { modelVersion, champion: former }: LiveState,
  { champion, promote, archive, challenger }: Mending,
  mended: string[],
): Promise<void> {
  if (promote) {
    await settling.setStage({ model, modelVersion, stage: 'Production' });
    mended.push(`version ${modelVersion} is live, and was not in Production`);
  }
  if (champion) {
    await settling.setAlias({ model, alias: 'champion', modelVersion });
    mended.push(
      `the alias champion named ${former === null ? 'no version' : `version ${former}`}, not ${modelVersion}`,
    );
  }
  for (const left of archive) {
    await settling.setStage({ model, modelVersion: left, stage: 'Archived' });
    mended.push(`version ${left} is neither live nor of a release that goes on: archived`);
  }
  if (challenger) {
    await settling.setAlias({ model, alias: 'challenger', modelVersion: null });
    mended.push('the alias challenger named a version of a release that is gone');
  }
}

/** Awaited, since this run ends right after it. */
function notifyPeople(
  { model, environment }: SettleInput,
  mended: readonly string[],
  failed: string | null,
): Promise<void> {
  const { runId, workflowId } = workflowInfo();
  const key = `${runId}/settled`;
  const notification =
    failed === null
      ? notificationOf('leftoversSettled', key, workflowId, { model, mended })
      : notificationOf('leftoversUnsettled', key, workflowId, { model, environment, mended, why: failed });
  return logUnsent(handOverSince(model, notification, passingNotification));
}
