import { CancellationScope } from '@temporalio/workflow';
import type { Pointer } from '../../domain/release/types.js';
import { bulkIo, shortCalls } from '../common/proxies.js';
import { reasonOf } from '../common/reason.js';
import { Run } from '../common/run.js';
import { STEPS, versionsOf, type RolloutInput, type RolloutProgress, type RolloutResult } from './contract.js';
import { describeReceipts, describeRollout } from './details.js';
import { requirePublisher } from './publisher.js';
import { resultOf, type RolloutEnd } from './end.js';
import { replicasOf, type Replicas } from './replicas.js';
import { swapForward } from './swap.js';
import { undo } from './undo.js';
import { recordVerdict } from './verdict.js';

/**
 * The one door through which a bundle goes live: verify → pointer swap → reload of every live replica → smoke; a failure swaps the
 * pointer back, forward in generation. Its id is the lock, so nothing else moves the pointer meanwhile except by force.
 */
export async function rolloutBundle(input: RolloutInput): Promise<RolloutResult> {
  requirePublisher();
  const run = new Run<(typeof STEPS)[number], RolloutProgress>({
    model: input.model,
    releaseId: input.releaseId,
    holds: versionsOf(input),
    steps: STEPS,
    progress: (steps) => ({ status: 'Running', steps, why: null }),
    describe: (progress) => describeRollout(input, progress),
    answer: ({ steps }) => steps,
    upsertedBefore: false,
  });
  try {
    const replicas = replicasOf(input);
    const result = resultOf(await rollOut(input, replicas, run), run.log.steps, replicas.silent);
    await replicas.notified();
    run.end(result.verdict, result.why);
    await run.notified();
    return result;
  } catch (error) {
    run.fail(error);
    await run.notified();
    throw error;
  }
}

async function rollOut(
  input: RolloutInput,
  replicas: Replicas,
  run: Run<(typeof STEPS)[number], RolloutProgress>,
): Promise<RolloutEnd> {
  const { model, definition, environment, bundle, base } = input;
  const before = await shortCalls.readPointer({ model, environment });
  if (before?.version !== base?.version) {
    const why = `${before?.version ?? 'nothing'} is live, not ${base?.version ?? 'nothing'}`;
    return { outcome: 'base-moved', why, live: before };
  }
  await run.step(
    'verify',
    () => bulkIo.verifyBundle({ model, ...(definition === undefined ? {} : { definition }), ...bundle }),
    () => 'signature, digests and schemas hold',
  );

  // The undo stands before the deed: from here on, every way out that is not `live` goes through it.
  let swapped: Pointer | null = null;
  try {
    const swap = await CancellationScope.nonCancellable(() =>
      run.step(
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
    const receipts = await run.step(
      'reload',
      () => replicas.reload(live),
      (list) => describeReceipts(list, replicas.silent),
    );
    const vectors = await run.step(
      'smoke',
      () => replicas.smoke(live),
      (asked) => (asked === 0 ? 'no replica answers' : `${asked} golden vectors equal`),
    );
    // What no replica has answered for has not proved itself.
    if (vectors > 0) await recordVerdict(input, live, 'Successful', 'smoked');
    return { outcome: 'live', why: `${live.version} is live`, live, receipts };
  } catch (error) {
    if (swapped === null) throw error;
    const failed = swapped;
    const why = reasonOf(error);
    return await CancellationScope.nonCancellable(() =>
      undo(input, replicas, before, failed, why, run.notifyAsBefore.bind(run)),
    );
  }
}
