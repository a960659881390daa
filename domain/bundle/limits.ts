import type { Manifest } from '../../schemas/types.js';
import { MANIFEST_FILE, SIGNATURE_FILE } from './layout.js';

/** How much of a thing is read before it is refused. */
export interface ReadLimit {
  /** more is refused before it is kept in memory */
  maxBytes: number;
  /** what a believed manifest says of its length: any other is refused before the first byte is read */
  exactBytes?: number;
}

/** More bytes than a thing of its kind may have. Its name is its failure type: no retry helps. */
export class TooLargeError extends Error {
  override readonly name = 'TooLarge';
}

const KIB = 1024;
const MIB = 1024 * KIB;

/**
 * The most that is read of each kind. What is read before a signature vouches for it (pointer, manifest, signature) is small enough to be
 * parsed in a few milliseconds: whoever may write to the store could otherwise stop a scorer with one object. Real ones have 1, 4 and 6 KiB.
 */
export const MAX_BYTES = {
  pointer: 64 * KIB,
  manifest: 256 * KIB,
  signature: 512 * KIB,
  /** an ONNX model; it is given to its thread unparsed */
  model: 256 * MIB,
  /** any other document that is read whole */
  document: 64 * MIB,
} as const;

/** Files that one bundle may list. */
export const MAX_FILES = 100;

/** What may be read of the two files that prove a bundle, before anything vouches for them. */
export const PROOF_LIMIT = {
  [MANIFEST_FILE]: { maxBytes: MAX_BYTES.manifest },
  [SIGNATURE_FILE]: { maxBytes: MAX_BYTES.signature },
} as const satisfies Record<string, ReadLimit>;

/**
 * What may be read of a file that a believed manifest lists: exactly the bytes it says, and no more than its kind may have. A file that the
 * manifest does not list gets its kind's limit: whoever checks it will miss it there.
 * @throws TooLargeError for an entry that is beyond its kind's limit
 */
export function limitOf({ files }: Pick<Manifest, 'files'>, name: string): ReadLimit {
  const maxBytes = name.endsWith('.onnx') ? MAX_BYTES.model : MAX_BYTES.document;
  const entry = Object.hasOwn(files, name) ? files[name] : undefined;
  if (entry === undefined) return { maxBytes };
  if (entry.bytes > maxBytes)
    throw new TooLargeError(
      `the manifest lists ${name} with ${entry.bytes} bytes; at most ${maxBytes} are read of such a file`,
    );
  return { maxBytes, exactBytes: entry.bytes };
}
