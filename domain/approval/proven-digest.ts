import { decisionDigest } from '../release/decision-digest.js';

/**
 * What a decision's proof covers, and an audit entry names, in place of the digest: the digest of what was shown, and with edits, both, so
 * that neither can be exchanged. Plain JavaScript: workflow code computes it too.
 */
export function provenDigest(digest: string, edits: Record<string, unknown> | undefined | null): string {
  return edits === undefined || edits === null ? digest : decisionDigest({ digest, edits });
}
