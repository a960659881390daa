import { workflowInfo } from '@temporalio/workflow';
import { bundleIdOf } from '../../domain/bundle/id.js';
import type { Pointer } from '../../domain/release/types.js';
import { reasonOf } from '../common/reason.js';
import type { Run } from '../common/run.js';
import type { RolloutInput, RolloutProgress } from './contract.js';
import type { RolloutEnd } from './end.js';
import type { Replicas } from './replicas.js';
import { swapBack } from './swap.js';
import { recordVerdict } from './verdict.js';

type NotifyByHand = Run<string, RolloutProgress>['notifyAsBefore'];

/**
 * Points at the former bundle again, at a higher generation, and reloads it, unless something newer has taken the pointer. Must not be
 * cancelled halfway.
 * @param failed what the pointer named when the rollout failed
 * @param tell notifies people of what the rollout cannot put right by itself
 */
export async function undo(
  input: RolloutInput,
  replicas: Replicas,
  before: Pointer | null,
  failed: Pointer,
  why: string,
  notify: NotifyByHand,
): Promise<RolloutEnd> {
  await recordVerdict(input, failed, 'Failed', why);
  if (before === null) {
    await notify('nothingToRestore', byHand(), { model: input.model, version: failed.version, why });
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
    await notify('undoIncomplete', byHand(), { model: input.model, former: before.version, why: reasonOf(error) });
    throw error;
  }
}

/** Names what the rollout cannot put right by itself. */
function byHand(): string {
  return `${workflowInfo().runId}/undo`;
}
