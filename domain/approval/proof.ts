import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What a proof binds together: it cannot be reused for another decision, verdict, workflow or proposal. */
export interface ProvenDecision {
  decisionId: string;
  verdict: string;
  actor: string;
  workflowId: string;
  digest: string;
}

/** An operation (a rollback) is proven as a decision is; what it does stands where a decision has the digest of what was shown. */
export interface ProvenOperation {
  /** the rollback's release id */
  operationId: string;
  /** exactly as the workflow words it; its first word is the verb */
  operation: string;
  actor: string;
  workflowId: string;
}

export function operationAsDecision({ operationId, operation, actor, workflowId }: ProvenOperation): ProvenDecision {
  return { decisionId: operationId, verdict: operation.split(' ')[0] ?? '', actor, workflowId, digest: operation };
}

/**
 * Shows that its maker holds the actor's token, without the token travelling through workflow history.
 * @param token the secret of the actor; its SHA-256 is what the principals file holds
 * @returns HMAC-SHA256 in hex, keyed with the token's SHA-256, over the decision's fields, one a line
 */
export function decisionProof(token: string, decision: ProvenDecision): string {
  if (hasLineBreak(decision)) throw new RangeError('a decision field may not contain a line break');
  return hmac(createHash('sha256').update(token, 'utf8').digest(), decision).toString('hex');
}

/**
 * Whether a proof was made with the token whose SHA-256 (hex) is on file. Takes the same time wherever it differs.
 */
export function proofMatches(proof: string, tokenSha256: string, decision: ProvenDecision): boolean {
  if (hasLineBreak(decision)) return false;
  const expected = hmac(Buffer.from(tokenSha256, 'hex'), decision);
  const given = Buffer.from(proof, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** A line break inside a field would let two different decisions have one message. */
function hasLineBreak(decision: ProvenDecision): boolean {
  return Object.values(decision).some((field: string) => field.includes('\n'));
}

function hmac(key: Buffer, { decisionId, verdict, actor, workflowId, digest }: ProvenDecision): Buffer {
  return createHmac('sha256', key).update([decisionId, verdict, actor, workflowId, digest].join('\n'), 'utf8').digest();
}
