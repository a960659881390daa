import { workflowInfo } from '@temporalio/workflow';
import { bundleIdOf } from '../../domain/bundle/id.js';
import type { Pointer } from '../../domain/release/types.js';
import { shortCalls } from '../common/proxies.js';
import { reasonOf } from '../common/reason.js';
import type { RolloutInput } from './contract.js';
import type { RolloutEnd } from './end.js';
import type { Replicas } from './replicas.js';
import { swapBack } from './swap.js';
import { recordVerdict } from './verdict.js';

/**
 * Points at the former bundle again, at a higher generation, and reloads it, unless something newer has taken the pointer. Must not be
 * cancelled halfway.
 * @param failed what the pointer named when the rollout failed
 */
export async function undo(
  input: RolloutInput,
  replicas: Replicas,
  before: Pointer | null,
  failed: Pointer,
  why: string,
): Promise<RolloutEnd> {
  await recordVerdict(input, failed, 'Failed', why);
  if (before === null) {
    await notifyByHand(
      input,
      `The first bundle ${failed.version} failed (${why}) and there is none to go back to`,
      'Release another bundle; the scorer answers with this one until then.',
    );
    return { outcome: 'nothing-to-restore', why, live: failed };
  }
  const swap = await swapBack(input, bundleIdOf(before), failed.generation, why);
  if (swap.outcome === 'lost') {
    const since = `${swap.pointer?.version ?? 'another bundle'} has gone live since`;
    return { outcome: 'overtaken', why: `${why}; ${since}`, live: swap.pointer };
  }
  try {
    return { outcome: 'undone', why, live: swap.pointer, receipts: await replicas.reload(swap.pointer, true) };
  } catch (error) {
    await notifyByHand(input, `The undo to ${before.version} did not reach every replica`, reasonOf(error));
    throw error;
  }
}

/** What the rollout cannot put right by itself. */
function notifyByHand(input: RolloutInput, title: string, text: string): Promise<void> {
  return shortCalls.notify({
    key: `${workflowInfo().runId}/undo`,
    severity: 'critical',
    title: `${input.model}: ${title}`,
    text,
  });
}
