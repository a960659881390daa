import type { BundleExpectation } from '../../domain/bundle/layout.js';
import { bundleKey, pointerKey } from '../../stores/keys.js';
import { loadBundle, type ReadFile } from '../../domain/bundle/load.js';
import { MAX_BYTES } from '../../domain/bundle/limits.js';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import { readPointerFile } from '../../domain/pointer/pointer.js';
import { validateBundleDocument } from '../../platform/bundle-validator.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { Pointer } from '../../schemas/types.js';
import type { FetchedBundle } from '../traffic/orders.js';

/** What this scorer follows, and whom it believes. */
export interface Trust {
  model: string;
  environment: Pointer['environment'];
  trustedKeys: TrustedKeys;
  expected: BundleExpectation;
}

/** A verified pointer, with the bytes that prove it. */
export interface SignedPointer {
  pointer: Pointer;
  bytes: Buffer;
}

/** @throws PointerError (`IntegrityError`, `TooManySignatures`) */
export function verifyPointer(bytes: Buffer, trust: Trust): SignedPointer {
  return { pointer: readPointerFile(bytes, trust, trust.trustedKeys, validateBundleDocument), bytes };
}

/**
 * Reads and verifies the bundle that a verified pointer names, or one pinned by hand.
 * @param read throws when a file is missing
 */
export async function fetchBundle(
  read: ReadFile,
  trust: Trust,
  named: { version: string; manifest_sha256: string } | null,
): Promise<FetchedBundle> {
  const raw = new Map<string, Buffer>();
  const keep: ReadFile = async (name, limit) => {
    const bytes = await read(name, limit);
    raw.set(name, bytes);
    return bytes;
  };
  const loaded = await loadBundle(keep, {
    model: trust.model,
    version: named?.version ?? null,
    manifestSha256: named?.manifest_sha256 ?? null,
    trustedKeys: trust.trustedKeys,
    expected: trust.expected,
    validate: validateBundleDocument,
  });
  return { loaded, raw };
}

/** The environment's pointer in S3; null when nothing was ever published. */
export async function pointerFromStore(store: ObjectStore, trust: Trust): Promise<SignedPointer | null> {
  const object = await store.get(pointerKey(trust.model, trust.environment), { maxBytes: MAX_BYTES.pointer });
  return object === null ? null : verifyPointer(object.bytes, trust);
}

/** The bundle that a pointer names, from S3. */
export function bundleFromStore(store: ObjectStore, trust: Trust, pointer: Pointer): Promise<FetchedBundle> {
  const read: ReadFile = async (name, limit) => {
    const key = bundleKey(trust.model, pointer.version, name);
    const object = await store.get(key, limit);
    if (object === null)
      throw new SluiceError(
        'IntegrityError',
        `S3 at ${store.endpoint}: ${store.bucket}/${key} is missing, though the pointer names its bundle`,
      );
    return object.bytes;
  };
  return fetchBundle(read, trust, pointer);
}
