import { randomBytes } from 'node:crypto';
import { WorkflowNotFoundError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { decisionProof } from '../../domain/approval/proof.js';
import { provenDigest } from '../../domain/approval/proven-digest.js';
import { SluiceError } from '../../platform/errors.js';
import type { Decision } from '../../schemas/types.js';
import { DECIDE_UPDATE, type PendingApproval } from '../../workflows/approval/contract.js';
import { PROGRESS_QUERY } from '../../workflows/common/contract.js';

export interface Choice {
  verdict: Decision['verdict'];
  actor: string;
  reason: string;
  /** of the proposal that was looked at; without it, of the one shown now */
  digest?: string;
  /** null: the principal has none */
  token: string | null;
  /** approve, but with these values; what may stand here is the run's to say */
  edits?: Record<string, unknown>;
  /** approve, although the proposal misses these gates */
  overrides?: readonly string[];
}

/**
 * Sends a person's decision to any run that waits for one. The token never leaves this process: only a proof made with it does.
 * @param lookAt the command that shows where the run stands, for the message when nothing waits
 * @throws SluiceError Conflict when nothing waits, Rejected with the run's reason when the decision is refused
 */
export async function decide(
  handle: WorkflowHandle,
  { verdict, actor, reason, token, edits, overrides, ...choice }: Choice,
  lookAt: string,
): Promise<{ digest: string; decisionId: string }> {
  const { approval } = await handle.query<{ approval: PendingApproval<unknown> | null }>(PROGRESS_QUERY);
  const digest = choice.digest ?? approval?.digest;
  if (digest === undefined)
    throw new SluiceError('Conflict', `this run is not waiting for a decision: see \`${lookAt}\``);
  const decisionId = randomBytes(8).toString('hex');
  const covered = provenDigest(digest, edits, overrides);
  const proven = { decisionId, verdict, actor, workflowId: handle.workflowId, digest: covered };
  const decision: Decision = {
    decisionId,
    verdict,
    actor,
    reason,
    digest,
    ...(edits === undefined ? {} : { edits }),
    ...(overrides === undefined ? {} : { overrides: [...overrides] }),
    ...(token === null ? {} : { proof: decisionProof(token, proven) }),
  };
  try {
    await handle.executeUpdate(DECIDE_UPDATE, { args: [decision], updateId: decisionId });
  } catch (error) {
    if (error instanceof WorkflowUpdateFailedError)
      throw new SluiceError('Rejected', rootCause(error.cause) ?? error.message);
    if (error instanceof WorkflowNotFoundError)
      throw new SluiceError('Conflict', `this run has finished and accepts no decisions: see \`${lookAt}\``);
    throw error;
  }
  return { digest, decisionId };
}
