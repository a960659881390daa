import {
  CancellationScope,
  defineQuery,
  isCancellation,
  rootCause,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { Pointer } from '../../domain/release/types.js';
import { StepLog, type StepProgress } from '../common/progress.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import { PROGRESS_QUERY, STEPS, type RolloutInput, type RolloutResult } from './contract.js';
import { describeRollout } from './details.js';
import { resultOf, type RolloutEnd } from './end.js';
import { reloadReplicas, smokeReplicas } from './replicas.js';
import { swapForward } from './swap.js';
import { undo } from './undo.js';
import { recordVerdict } from './verdict.js';

/**
 * The one door through which a bundle goes live: verify → pointer swap → reload of every live replica → smoke; a failure swaps the
 * pointer back, forward in generation. Its id is the lock, so nothing else moves the pointer meanwhile except by force.
 */
export async function rolloutBundle(input: RolloutInput): Promise<RolloutResult> {
  const log = new StepLog(STEPS, () => setCurrentDetails(describeRollout(input, log.steps)));
  setHandler(defineQuery<StepProgress[]>(PROGRESS_QUERY), () => log.steps);
  const end = await rollOut(input, log);
  log.close();
  return resultOf(end, log.steps);
}

async function rollOut(input: RolloutInput, log: StepLog): Promise<RolloutEnd> {
  const { model, environment, bundle, base } = input;
  const before = await shortCalls.readPointer({ model, environment });
  if (before?.version !== base?.version) {
    const why = `${before?.version ?? 'nothing'} is live, not ${base?.version ?? 'nothing'}`;
    return { outcome: 'base-moved', why, live: before };
  }
  await log.run(
    'verify',
    () => bulkIo.verifyBundle({ model, ...bundle }),
    () => 'signature, digests and schemas hold',
  );

  // The undo stands before the deed: from here on, every way out that is not `live` goes through it.
  let swapped: Pointer | null = null;
  try {
    const swap = await CancellationScope.nonCancellable(() =>
      log.run(
        'pointer swap',
        () => swapForward(input, before?.generation ?? 0),
        (result) => `generation ${result.pointer?.generation ?? '?'}`,
      ),
    );
    if (swap.outcome === 'lost') {
      const why = `${swap.pointer?.version ?? 'nothing'} went live first`;
      return { outcome: 'base-moved', why, live: swap.pointer };
    }
    const live = (swapped = swap.pointer);
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
    await recordVerdict(input, live, 'Successful', 'smoked');
    return { outcome: 'live', why: `${live.version} is live`, live, receipts };
  } catch (error) {
    if (swapped === null) throw error;
    const failed = swapped;
    const why = isCancellation(error) ? 'cancelled' : (rootCause(error) ?? String(error));
    return await CancellationScope.nonCancellable(() => undo(input, before, failed, why));
  }
}
