import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import { checkFile } from '../../domain/bundle/manifest.js';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate } from '../../platform/validate.js';
import { readBundleFile, readManifest } from '../../stores/manifests.js';
import type { GoldenVectors } from '../../schemas/types.js';

/**
 * A published bundle's golden vectors, read from the store and not from the replica that is examined with them; believed only after
 * the manifest's signature and their own digest hold.
 * @throws IntegrityError
 */
export async function readGoldenVectors(
  { store, trustedKeys }: { store: ObjectStore; trustedKeys: TrustedKeys },
  bundle: { model: string; version: string; manifestSha256: string },
): Promise<GoldenVectors> {
  const manifest = await readManifest(store, trustedKeys, bundle);
  const golden = await readBundleFile(store, bundle, BUNDLE_FILE.golden, manifest);
  await checkFile(manifest, BUNDLE_FILE.golden, golden);
  return validate('golden-vectors', JSON.parse(golden.toString('utf8')), BUNDLE_FILE.golden);
}
