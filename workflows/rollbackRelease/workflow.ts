import { ApplicationFailure } from '@temporalio/common';
import {
  CancellationScope,
  defineQuery,
  patched,
  rootCause,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { BundleRef, Pointer } from '../../domain/release/types.js';
import { PATCHES } from '../common/patches.js';
import { StepLog } from '../common/progress.js';
import { shortCalls } from '../common/proxies.js';
import { publishBundle, rolloutFailed, type Composed } from '../publish/publish.js';
import { PROGRESS_QUERY, STEPS, type RollbackInput, type RollbackProgress, type RollbackResult } from './contract.js';
import { followInRegistry } from './registry.js';
import { report } from './report.js';
import { findTarget } from './target.js';

/** What a rollback has found out so far. */
interface Found {
  /** what was live before it */
  from: string | null;
  target: BundleRef | null;
}

/** An operator's undo: the last good bundle, or a named one, through the same door as any change; the registry follows what is live. */
export async function rollbackRelease(input: RollbackInput): Promise<RollbackResult> {
  const log = new StepLog(STEPS, () => setCurrentDetails(describe(input, log)));
  setHandler(defineQuery<RollbackProgress>(PROGRESS_QUERY), () => ({ steps: log.steps }));
  const found: Found = { from: null, target: null };
  try {
    return await rollBack(input, log, found);
  } catch (error) {
    const status = error instanceof ApplicationFailure && error.type === 'Superseded' ? 'Superseded' : 'Failed';
    const end = { status, bundleVersion: found.target?.version ?? null, modelVersion: null, generation: null };
    const reason = rootCause(error) ?? String(error);
    await CancellationScope.nonCancellable(() => report(input, log, { ...end, reason }));
    throw error;
  }
}

async function rollBack(input: RollbackInput, log: StepLog, found: Found): Promise<RollbackResult> {
  const { model, environment, releaseId, actor, reason } = input;
  const published = await publishBundle(log, {
    model,
    environment,
    releaseId,
    actor,
    reason,
    compose: (live) => compose(input, log, found, live),
    // The named bundle is wanted whatever is live. The last good one is the one before that which the operator saw live.
    mayComposeAgain: () => input.version !== null && patched(PATCHES.rollbackComposesAgain),
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
  const { modelVersion } = found.target as BundleRef;
  if (environment === 'production')
    await log.run(
      'champion',
      () => followInRegistry(model, modelVersion, generation),
      () => `version ${modelVersion}`,
    );
  await report(input, log, { status: 'RolledBack', bundleVersion: version, modelVersion, generation, reason });
  return { rollout, version, from: found.from, steps: log.steps };
}

/** The bundle to go back to; it is authorised once, however often another change goes live first. */
async function compose(input: RollbackInput, log: StepLog, found: Found, live: Pointer | null): Promise<Composed> {
  const authorised = found.target !== null;
  found.from = live?.version ?? null;
  const target = await log.run(
    'find the bundle',
    () => findTarget(input, live),
    (bundle) => (bundle === null ? 'already live' : `${found.from ?? 'nothing'} → ${bundle.version}`),
  );
  if (target === null) return { outcome: 'unchanged', why: `${found.from} is already live` };
  found.target = target;
  if (!authorised)
    await log.run(
      'authorise',
      () => authorise(input),
      () => input.actor,
    );
  return { outcome: 'composed', bundle: target };
}

async function authorise({
  model,
  environment,
  version,
  releaseId,
  actor,
  reason,
  proof,
}: RollbackInput): Promise<void> {
  const answer = await shortCalls.authorizeOperation({
    model,
    workflowId: workflowInfo().workflowId,
    operation: `rollback ${model} ${environment} ${version ?? 'last good'}`,
    operationId: releaseId,
    actor,
    reason,
    ...(proof === undefined ? {} : { proof }),
  });
  if (!answer.allowed) throw ApplicationFailure.nonRetryable(answer.why, 'NotAuthorised');
}

function describe({ model, actor, reason }: RollbackInput, { steps }: StepLog): string {
  return [
    `Rollback of **${model}** by ${actor}: ${reason}`,
    '',
    ...steps.map(({ name, status, detail }) => `- ${name}: ${status} ${detail ?? ''}`),
  ].join('\n');
}
