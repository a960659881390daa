import { pointerKey } from './keys.js';
import { MAX_BYTES } from '../domain/bundle/limits.js';
import type { TrustedKeys } from '../domain/dsse/dsse.js';
import { readPointerFile } from '../domain/pointer/pointer.js';
import type { ObjectStore } from '../platform/object-store.js';
import { validate } from '../platform/validate.js';
import type { Pointer } from '../schemas/types.js';

/** The pointer as it stands in the bucket, verified, with the etag that a conditional put needs; null when there is none. */
export async function fetchPointer(
  store: Pick<ObjectStore, 'get'>,
  trustedKeys: TrustedKeys,
  wanted: { model: string; environment: string },
): Promise<{ pointer: Pointer; etag: string } | null> {
  const object = await store.get(pointerKey(wanted.model, wanted.environment), { maxBytes: MAX_BYTES.pointer });
  if (object === null) return null;
  return { pointer: readPointerFile(object.bytes, wanted, trustedKeys, validate), etag: object.etag };
}
