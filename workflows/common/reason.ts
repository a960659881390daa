import { isCancellation, rootCause } from '@temporalio/workflow';

/** Why a run, a step or a job failed, in one line for people: the innermost cause, or that somebody cancelled it. */
export function reasonOf(error: unknown): string {
  return isCancellation(error) ? 'cancelled' : (rootCause(error) ?? String(error));
}
