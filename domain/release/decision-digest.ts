import { sha256 } from '@noble/hashes/sha2.js';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils.js';
import canonicalize from 'canonicalize';

/**
 * SHA-256 over the canonical JSON (RFC 8785) of what an approver is shown, so that an approval cannot be used for anything else.
 * Plain JavaScript: workflow code computes it too, and has no `node:crypto`.
 */
export function decisionDigest(proposal: unknown): string {
  const text = canonicalize(proposal);
  if (text === undefined) throw new TypeError('a proposal must be JSON');
  return bytesToHex(sha256(utf8ToBytes(text)));
}
