import { ApplicationFailure } from '@temporalio/common';
import { CancellationScope, patched } from '@temporalio/workflow';
import type { BundleRef, Pointer } from '../../domain/release/types.js';
import { authorise, type OperationInput } from '../common/operation.js';
import { PATCHES } from '../common/patches.js';
import { reasonOf } from '../common/reason.js';
import { publishBundle, rolloutFailed, type Composed } from '../publish/publish.js';
import { rollbackOperation, type RollbackInput, type RollbackResult } from './contract.js';
import { followInRegistry } from './registry.js';
import { nameOf, notifyEnd } from './notifications.js';
import { report } from './report.js';
import { RollbackRun } from './run.js';
import { findTarget } from './target.js';

/** An operator's undo: the last good bundle, or a named one, through the same door as any change; the registry follows what is live. */
export async function rollbackRelease(input: RollbackInput): Promise<RollbackResult> {
  const run = new RollbackRun(input);
  try {
    return await rollBack(run);
  } catch (error) {
    const status = error instanceof ApplicationFailure && error.type === 'Superseded' ? 'Superseded' : 'Failed';
    const reason = reasonOf(error);
    run.update({ status, why: reason });
    notifyEnd(run, reason, error);
    const end = { status, bundleVersion: run.target?.version ?? null, modelVersion: null, generation: null };
    await CancellationScope.nonCancellable(() => report(run, { ...end, reason }));
    await run.notified();
    throw error;
  }
}

async function rollBack(run: RollbackRun): Promise<RollbackResult> {
  const { model, environment, version: named, releaseId } = run.input;
  const published = await publishBundle(run, {
    model,
    environment,
    releaseId,
    caller: run.caller,
    compose: (live) => compose(run, live),
    // The named bundle is wanted whatever is live. The last good one is the one before that which the operator saw live.
    mayComposeAgain: () => named !== null && patched(PATCHES.rollbackComposesAgain),
  });
  switch (published.outcome) {
    case 'live':
      break;
    case 'unchanged':
      throw ApplicationFailure.nonRetryable(published.why, 'Conflict');
    case 'superseded':
      throw ApplicationFailure.nonRetryable(`nothing was rolled back: ${published.why}`, 'Superseded');
    case 'failed':
      throw rolloutFailed(published);
    default:
      return published satisfies never;
  }
  const { version, generation, rollout } = published;
  const { modelVersion } = run.target as BundleRef;
  if (environment === 'production')
    await run.step(
      'champion',
      () => followInRegistry(model, modelVersion, generation),
      () => `version ${modelVersion}`,
    );
  run.update({ status: 'RolledBack' });
  const { reason } = run.caller;
  run.notify('wentLive', 'live', { model, what: nameOf(run), version, generation, figures: `Reason: ${reason}` });
  await report(run, { status: 'RolledBack', bundleVersion: version, modelVersion, generation, reason });
  await run.notified();
  return { rollout, version, from: run.from, steps: run.log.steps };
}

/** The bundle to go back to; it is authorised once, however often another change goes live first. */
async function compose(run: RollbackRun, live: Pointer | null): Promise<Composed> {
  const { input } = run;
  const authorised = run.target !== null;
  run.from = live?.version ?? null;
  const target = await run.step(
    'find the bundle',
    () => findTarget(input, live),
    (bundle) => (bundle === null ? 'already live' : `${run.from ?? 'nothing'} → ${bundle.version}`),
  );
  if (target === null) return { outcome: 'unchanged', why: `${run.from} is already live` };
  run.target = target;
  run.hold(target.version);
  if (!authorised) await authorise(run.log, input.model, rollbackOperation(input), operationOf(run));
  return { outcome: 'composed', bundle: target };
}

/** Names the request as its record does. */
function operationOf({ input, caller }: RollbackRun): OperationInput {
  return { operationId: input.releaseId, caller };
}
