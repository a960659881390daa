import {
  CancellationScope,
  defineQuery,
  isCancellation,
  rootCause,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Pointer, Receipt } from '../../domain/release/types.js';
import { StepLog, type StepProgress } from '../common/progress.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import { PROGRESS_QUERY, STEPS, type RolloutInput, type RolloutOutcome, type RolloutResult } from './contract.js';
import { canaryPolicy } from './policy.js';
import { reloadReplicas, smokeReplicas } from './replicas.js';

interface Target {
  version: string;
  manifestSha256: string;
}

/**
 * The one door through which a bundle goes live: verify → pointer swap → reload of every live replica → smoke; a failure swaps the
 * pointer back, forward in generation. Its id is the lock, so nothing else moves the pointer meanwhile except by force.
 */
export async function rolloutBundle(input: RolloutInput): Promise<RolloutResult> {
  const log = new StepLog(STEPS, () => setCurrentDetails(describe(input, log.steps)));
  setHandler(defineQuery<StepProgress[]>(PROGRESS_QUERY), () => log.steps);
  const finish = (
    outcome: RolloutOutcome,
    verdict: RolloutResult['verdict'],
    why: string,
    live: Pointer | null,
    receipts: Receipt[] = [],
  ): RolloutResult => {
    log.close();
    return {
      outcome,
      verdict,
      why,
      receipts,
      generation: live?.generation ?? null,
      liveVersion: live?.version ?? null,
      steps: log.steps,
    };
  };

  const before = await shortCalls.readPointer({ model: input.model, environment: input.environment });
  if (before?.version !== input.base?.version) {
    return finish(
      'base-moved',
      'Inconclusive',
      `${before?.version ?? 'nothing'} is live, not ${input.base?.version ?? 'nothing'}`,
      before,
    );
  }
  await log.run(
    'verify',
    () => bulkIo.verifyBundle({ model: input.model, ...input.bundle }),
    () => 'signature, digests and schemas hold',
  );

  // The undo stands before the deed: from here on, every way out that is not `live` goes through it.
  let swapped: Pointer | null = null;
  try {
    const swap = await CancellationScope.nonCancellable(() =>
      log.run(
        'pointer swap',
        () => swapTo(input, input.bundle, before?.generation ?? 0, 'forward', input.reason),
        (result) => `generation ${result.pointer?.generation ?? '?'}`,
      ),
    );
    if (swap.outcome === 'lost') {
      return finish(
        'base-moved',
        'Inconclusive',
        `${swap.pointer?.version ?? 'nothing'} went live first`,
        swap.pointer,
      );
    }
    swapped = swap.pointer;
    const live = swapped;
    const receipts = await log.run(
      'reload',
      () => reloadReplicas(input, live),
      (list) => list.map((r) => `${r.replicaId} in ${Math.round(r.loadedInMs)} ms`).join(', '),
    );
    await log.run(
      'smoke',
      () => smokeReplicas(input, live),
      (vectors) => `${vectors} golden vectors equal`,
    );
    await record(input, live, 'Successful', 'smoked');
    return finish('live', 'Successful', `${live.version} is live`, live, receipts);
  } catch (error) {
    if (swapped === null) throw error;
    const failed = swapped;
    const why = isCancellation(error) ? 'cancelled' : (rootCause(error) ?? String(error));
    return await CancellationScope.nonCancellable(() => undo(input, before, failed, why, finish));
  }
}

type Finish = (
  outcome: RolloutOutcome,
  verdict: RolloutResult['verdict'],
  why: string,
  live: Pointer | null,
  receipts?: Receipt[],
) => RolloutResult;

/** Names the former bundle again at a higher generation, unless something newer has taken the pointer, and reloads it. */
async function undo(
  input: RolloutInput,
  before: Pointer | null,
  failed: Pointer,
  why: string,
  finish: Finish,
): Promise<RolloutResult> {
  await record(input, failed, 'Failed', why);
  if (before === null) {
    await page(
      input,
      `The first bundle ${failed.version} failed (${why}) and there is none to go back to`,
      'Release another bundle; the scorer answers with this one until then.',
    );
    return finish('nothing-to-restore', 'Failed', why, failed);
  }
  const former = { version: before.version, manifestSha256: before.manifest_sha256 };
  const swap = await swapTo(input, former, failed.generation, 'undo', `undo of ${failed.version}: ${why}`);
  if (swap.outcome === 'lost')
    return finish(
      'overtaken',
      'Failed',
      `${why}; ${swap.pointer?.version ?? 'another bundle'} has gone live since`,
      swap.pointer,
    );
  try {
    const receipts = await reloadReplicas(input, swap.pointer);
    return finish('undone', 'Failed', why, swap.pointer, receipts);
  } catch (error) {
    await page(input, `The undo to ${former.version} did not reach every replica`, rootCause(error) ?? String(error));
    throw error;
  }
}

function swapTo(
  input: RolloutInput,
  bundle: Target,
  expectedGeneration: number,
  direction: 'forward' | 'undo',
  reason: string,
) {
  return shortCalls.swapPointer({
    model: input.model,
    environment: input.environment,
    bundle,
    expectedGeneration,
    releaseId: input.releaseId,
    putId: `${workflowInfo().runId}/${direction}`,
    actor: input.actor,
    reason,
    updatedAt: new Date().toISOString(),
    // An undo makes no new change: its reason says what it takes back.
    ...(direction === 'undo' || input.kind === undefined ? {} : { change: { kind: input.kind, ...input.change } }),
  });
}

function record(input: RolloutInput, live: Pointer, verdict: RolloutResult['verdict'], why: string): Promise<void> {
  return shortCalls.recordVerdict({
    model: input.model,
    environment: input.environment,
    version: live.version,
    manifestSha256: live.manifest_sha256,
    generation: live.generation,
    verdict,
    why,
    at: new Date().toISOString(),
  });
}

function page(input: RolloutInput, title: string, text: string): Promise<void> {
  return shortCalls.notify({
    key: `${workflowInfo().runId}/undo`,
    severity: 'critical',
    title: `${input.model}: ${title}`,
    text,
  });
}

function describe(input: RolloutInput, steps: StepProgress[]): string {
  const rows = steps.map(({ name, status, detail }) => `| ${name} | ${status} | ${detail ?? ''} |`);
  return [
    `**${input.bundle.version}** → ${input.environment}, by ${input.actor}: ${input.reason}`,
    `Traffic: ${canaryPolicy(input.kind)}.`,
    '',
    '| step | status | |',
    '|---|---|---|',
    ...rows,
  ].join('\n');
}
