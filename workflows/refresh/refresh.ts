import { allHandlersFinished, CancellationScope, condition, isCancellation } from '@temporalio/workflow';
import type { BundleId } from '../../domain/bundle/id.js';
import { ApprovalGate } from '../approval/gate.js';
import { countRefreshed } from '../common/metrics.js';
import { shortCalls } from '../common/proxies.js';
import { nothingLive, notifyNothingLive } from '../common/nothing-live.js';
import { reasonOf } from '../common/reason.js';
import { authoriseRequest } from '../common/request.js';
import { conclude } from './conclude.js';
import { refreshRequest, type RefreshResult } from './contract.js';
import { decideOnHeld } from './hold.js';
import { notifyFailure } from './failure.js';
import { notifyFailedJobs, notifyStale } from './notifications.js';
import { liveBundle, publish } from './publish.js';
import type { RefreshRun } from './run.js';

/**
 * A refresh from build to live: what passed its checks is published at once, what lies beyond its tolerance after a person has decided. A job
 * that failed is notified of and does not stop the others.
 * @param build makes the artifacts and records them in the run; throws when there is nothing to go on with
 */
export async function refresh(run: RefreshRun, build: (live: BundleId) => Promise<void>): Promise<RefreshResult> {
  const gate = new ApprovalGate();
  await admit(run);
  try {
    await steps(run, gate, build);
  } catch (error) {
    const cancelled = isCancellation(error) || CancellationScope.current().consideredCancelled;
    const why = cancelled ? 'cancelled' : reasonOf(error);
    run.end('Failed', why);
    countRefreshed(run.input.model, run.progress.jobs);
    if (!cancelled) {
      run.trackNotification(notifyFailure(run, why));
      await run.notified();
    }
    throw error;
  }
  await run.notified();
  await condition(allHandlersFinished);
  return run.result();
}

/** Whoever is refused has changed nothing, and is told by the run: nobody else is notified. */
async function admit(run: RefreshRun): Promise<void> {
  const { model, key } = run.input;
  try {
    const request = refreshRequest(run.input, run.job);
    run.requesterIdentity = await authoriseRequest({ model, requestId: key, request, caller: run.caller });
  } catch (error) {
    run.fail(error);
    throw error;
  }
}

async function steps(run: RefreshRun, gate: ApprovalGate, build: (live: BundleId) => Promise<void>): Promise<void> {
  const { model } = run.input;
  const { spec, gitSha } = await shortCalls.loadModelSpec({ model });
  const compared = await run.step(
    'live bundle',
    () => liveBundle(model),
    (live) => live?.version ?? 'none',
  );
  if (compared === null) {
    notifyNothingLive(run, model);
    return run.end('NothingLive', nothingLive(model));
  }
  run.hold(compared.version);
  await run.step(
    'build',
    () => build(compared),
    () => run.progress.jobs.map(({ job, state }) => `${job} ${state}`).join(', '),
  );
  run.trackNotification(notifyFailedJobs(run));
  run.trackNotification(notifyStale(run));

  const byItself = spec.refresh.approval.policy === 'auto';
  const ready = byItself ? run.artifacts('ready', 'held') : run.artifacts('ready');
  const held = byItself ? [] : run.artifacts('held');
  if (ready.length > 0) await publish(run, gitSha, ready, { releaseId: run.releaseId }, 'in steps');
  if (held.length > 0) await decideOnHeld(run, gate, spec, gitSha, compared.version, held);
  countRefreshed(model, run.progress.jobs);
  const { status, why } = conclude(run.progress);
  run.end(status, why);
}
