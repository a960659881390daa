import { ApplicationFailure } from '@temporalio/common';
import { CancellationScope, isCancellation, rootCause } from '@temporalio/workflow';

/** Why a run, a step or a job failed, in one line for people: the innermost cause, or that somebody cancelled it. */
export function reasonOf(error: unknown): string {
  return isCancellation(error) ? 'cancelled' : (rootCause(error) ?? String(error));
}

/** The type of the innermost failure that has one; `cancelled` where somebody cancelled the run. */
export function rootFailureType(error: unknown): string | null {
  if (isCancellation(error) || CancellationScope.current().consideredCancelled) return 'cancelled';
  let type: string | null = null;
  for (let cause = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof ApplicationFailure) type = cause.type ?? type;
  return type;
}

/** Whether a run failed because somebody cancelled it, or asked for what they may not or cannot have: they know it already. */
export function isNoNews(error: unknown): boolean {
  const type = rootFailureType(error);
  return type !== null && ['cancelled', 'NotAuthorised', 'InvalidInput'].includes(type);
}
