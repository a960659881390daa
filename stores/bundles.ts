import { sha256Hex } from '../domain/bundle/digest.js';
import { MANIFEST_FILE } from '../domain/bundle/layout.js';
import { PROOF_LIMIT } from '../domain/bundle/limits.js';
import { SluiceError } from '../platform/errors.js';
import type { ObjectStore } from '../platform/object-store.js';
import { bundleKey, bundlesPrefix } from './keys.js';
import type { BundleId } from '../domain/bundle/id.js';

/**
 * A published bundle by its version's name.
 * @throws SluiceError NotFound with the newest versions that exist
 */
export async function findBundle(
  store: Pick<ObjectStore, 'get' | 'list'>,
  { model, version }: { model: string; version: string },
): Promise<BundleId> {
  const manifest = await store.get(bundleKey(model, version, MANIFEST_FILE), PROOF_LIMIT[MANIFEST_FILE]);
  if (manifest !== null) return { version, manifestSha256: sha256Hex(manifest.bytes) };
  const known = await knownVersions(store, model);
  throw new SluiceError(
    'NotFound',
    `no bundle ${version} of ${model}; ${known.length === 0 ? 'there are none yet' : `the newest are ${known.slice(-10).join(', ')}`}`,
  );
}

/** Versions whose manifest is written, that is, which are complete, oldest first. */
async function knownVersions(store: Pick<ObjectStore, 'list'>, model: string): Promise<string[]> {
  const keys = await store.list(bundlesPrefix(model));
  return keys
    .map(({ key }) => key)
    .filter((key) => key.endsWith(`/${MANIFEST_FILE}`))
    .map((key) => key.split('/').at(-2) as string)
    .sort();
}
