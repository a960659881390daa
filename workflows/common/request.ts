import { ApplicationFailure } from '@temporalio/common';
import { patched, workflowInfo } from '@temporalio/workflow';
import type { Caller } from '../../domain/approval/caller.js';
import { identityOf, type Identity } from '../../domain/approval/identity.js';
import type { OverrideChange } from '../../domain/release/overrides.js';
import { PATCHES } from './patches.js';
import { shortCalls } from './proxies.js';

/** A run that somebody asks for. */
export interface Request {
  model: string;
  /** with `request`, what the caller's proof covers */
  requestId: string;
  /** what is asked for, exactly as the proof words it */
  request: string;
  caller: Caller;
  /** where it departs from the model's spec */
  overrides?: readonly OverrideChange[];
  /** why the spec may be weakened */
  overrideReason?: string;
}

/**
 * Goes on when the caller may ask for this run; the answer is on record either way. A run that another one of ours starts (a schedule's, the
 * drift monitor's, a night's) asks nobody, unless it departs from the spec.
 * @returns whether the caller showed a token; undefined where nobody was asked
 * @throws ApplicationFailure NotAuthorised
 */
export async function authoriseRequest(request: Request): Promise<Identity | undefined> {
  const { parent, workflowId, runId } = workflowInfo();
  const { overrides = [], overrideReason = null } = request;
  if (parent !== undefined && overrides.length === 0) return undefined;
  if (!patched(PATCHES.requestsAreAuthorised)) return undefined;
  const answer = await shortCalls.authorizeRequest({ ...request, overrides, overrideReason, workflowId, runId });
  if (!answer.allowed) throw ApplicationFailure.nonRetryable(answer.why, 'NotAuthorised');
  return identityOf(answer);
}
