import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** SHA-256 of some bytes, in lower-case hex. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The one byte form of a JSON document (RFC 8785: sorted keys, shortest numbers), so that equal documents have equal digests. */
export function canonicalJson(document: unknown): Buffer {
  const text = canonicalize(document);
  if (text === undefined) throw new TypeError('not a JSON document');
  return Buffer.from(text, 'utf8');
}

/** As `canonicalJson`, indented for people. Just as deterministic. */
export function readableJson(document: unknown): Buffer {
  return Buffer.from(JSON.stringify(JSON.parse(canonicalJson(document).toString('utf8')), null, 2) + '\n', 'utf8');
}
