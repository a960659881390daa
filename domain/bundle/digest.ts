import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** SHA-256 of some bytes, in lower-case hex. */
export function sha256Hex(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** A few milliseconds of digesting. */
const TURN_BYTES = 1024 * 1024;

/** As `sha256Hex`, in turns of a few milliseconds: a model of 100 MB in one go would hold up everything else for a third of a second. */
export async function sha256HexInTurns(bytes: Uint8Array): Promise<string> {
  const hash = createHash('sha256');
  for (let at = 0; at < bytes.length; at += TURN_BYTES) {
    if (at > 0) await new Promise(setImmediate);
    hash.update(bytes.subarray(at, at + TURN_BYTES));
  }
  return hash.digest('hex');
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
