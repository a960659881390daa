import { ApplicationFailure } from '@temporalio/common';
import type { Caller } from '../../domain/approval/caller.js';

/** What every workflow that changes something is given. */
export interface Called {
  caller: Caller;
}

/** How inputs said it before 2026-11-24; runs and schedules of then still do. */
interface CalledBefore {
  requestedBy?: string;
  actor?: string;
  reason?: string;
  proof?: string;
  /** of a prune by hand */
  operation?: { proof?: string };
}

/**
 * Who asked for a run, whenever it began. Synchronous and cheap: the proof, and every field by its schema, are checked by the activity
 * that authorises.
 * @param otherwise who it is where the input names nobody
 * @throws ApplicationFailure InvalidInput, naming the field
 */
export function callerOf(input: { caller?: Caller }, otherwise?: Caller): Caller {
  const caller: unknown = input.caller ?? before(input as CalledBefore, otherwise);
  if (typeof caller !== 'object' || caller === null) throw invalid('/caller must be an object {actor, reason}');
  for (const field of ['actor', 'reason'] as const) {
    const text = (caller as Record<string, unknown>)[field];
    if (typeof text !== 'string' || text.trim() === '') throw invalid(`/caller/${field} must be a non-empty text`);
  }
  return caller as Caller;
}

function before(
  { requestedBy, actor = requestedBy, reason, proof, operation }: CalledBefore,
  otherwise: Caller | undefined,
): Caller | undefined {
  const known = { actor: actor ?? otherwise?.actor, reason: reason ?? otherwise?.reason };
  if (known.actor === undefined || known.reason === undefined) return undefined;
  const shown = proof ?? operation?.proof;
  return { actor: known.actor, reason: known.reason, ...(shown === undefined ? {} : { proof: shown }) };
}

function invalid(message: string): ApplicationFailure {
  return ApplicationFailure.nonRetryable(message, 'InvalidInput');
}
