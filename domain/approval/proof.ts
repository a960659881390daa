import { createHash, createHmac, timingSafeEqual } from 'node:crypto';

/** What a proof binds together: it cannot be reused for another decision, verdict, workflow or proposal. */
export interface ProvenDecision {
  decisionId: string;
  verdict: string;
  actor: string;
  workflowId: string;
  digest: string;
}

/**
 * Shows that its maker holds the actor's token, without the token travelling through workflow history.
 * @param token the secret of the actor; its SHA-256 is what the principals file holds
 * @returns HMAC-SHA256 in hex, keyed with the token's SHA-256, over the decision's fields, one a line
 */
export function decisionProof(token: string, decision: ProvenDecision): string {
  return hmac(createHash('sha256').update(token, 'utf8').digest(), decision).toString('hex');
}

/**
 * Whether a proof was made with the token whose SHA-256 (hex) is on file. Takes the same time wherever it differs.
 */
export function proofMatches(proof: string, tokenSha256: string, decision: ProvenDecision): boolean {
  const expected = hmac(Buffer.from(tokenSha256, 'hex'), decision);
  const given = Buffer.from(proof, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function hmac(key: Buffer, decision: ProvenDecision): Buffer {
  const { decisionId, verdict, actor, workflowId, digest } = decision;
  const fields = [decisionId, verdict, actor, workflowId, digest];
  // A line break inside a field would let two different decisions have one message.
  if (fields.some((field) => field.includes('\n')))
    throw new RangeError('a decision field may not contain a line break');
  return createHmac('sha256', key).update(fields.join('\n'), 'utf8').digest();
}
