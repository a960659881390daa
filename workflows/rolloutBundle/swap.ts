import { workflowInfo } from '@temporalio/workflow';
import type { BundleId } from '../../domain/bundle/id.js';
import { callerOf } from '../common/caller.js';
import { shortCalls } from '../common/proxies.js';
import type { RolloutInput } from './contract.js';

/** Points at the rollout's bundle, where the pointer still has this generation. */
export function swapForward(input: RolloutInput, expectedGeneration: number) {
  const { kind, change } = input;
  return swapPointer(input, input.bundle, expectedGeneration, 'forward', callerOf(input).reason, {
    ...(kind === undefined ? {} : { change: { kind, ...change } }),
  });
}

/** Points at the former bundle again, one generation on. It is no new change: its reason says what it takes back. */
export function swapBack(input: RolloutInput, former: BundleId, expectedGeneration: number, why: string) {
  return swapPointer(input, former, expectedGeneration, 'undo', `undo of ${input.bundle.version}: ${why}`, {});
}

/** @param direction makes the put's id: each is done once, however often its activity is tried */
function swapPointer(
  input: RolloutInput,
  bundle: BundleId,
  expectedGeneration: number,
  direction: 'forward' | 'undo',
  reason: string,
  note: Pick<Parameters<typeof shortCalls.swapPointer>[0], 'change'>,
) {
  return shortCalls.swapPointer({
    model: input.model,
    environment: input.environment,
    bundle,
    expectedGeneration,
    releaseId: input.releaseId,
    putId: `${workflowInfo().runId}/${direction}`,
    actor: callerOf(input).actor,
    reason,
    updatedAt: new Date().toISOString(),
    ...note,
  });
}
