import { decisionDigest } from '../release/decision-digest.js';

/**
 * What a decision's proof covers, and an audit entry names, in place of the digest: the digest of what was shown, and with edits or overridden
 * gates, all of them, so that none can be exchanged. Plain JavaScript: workflow code computes it too.
 */
export function provenDigest(
  digest: string,
  edits?: Record<string, unknown> | null,
  overrides?: readonly string[] | null,
): string {
  const further = {
    ...(edits === undefined || edits === null ? {} : { edits }),
    ...(overrides === undefined || overrides === null ? {} : { overrides }),
  };
  return Object.keys(further).length === 0 ? digest : decisionDigest({ digest, ...further });
}
