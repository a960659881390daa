import { BUNDLE_FILE, MANIFEST_FILE, SIGNATURE_FILE } from '../../domain/bundle/layout.js';
import { bundleKey } from '../../stores/keys.js';
import { checkFile, verifyManifest } from '../../domain/bundle/manifest.js';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate } from '../../platform/validate.js';
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
  const read = async (name: string): Promise<Buffer> => {
    const key = bundleKey(bundle.model, bundle.version, name);
    const object = await store.get(key);
    if (object === null)
      throw new SluiceError('IntegrityError', `S3 at ${store.endpoint}: ${store.bucket}/${key} is missing`);
    return object.bytes;
  };
  const [manifestBytes, signature, golden] = await Promise.all([
    read(MANIFEST_FILE),
    read(SIGNATURE_FILE),
    read(BUNDLE_FILE.golden),
  ]);
  const believed = verifyManifest(manifestBytes, signature, trustedKeys, bundle.manifestSha256);
  const manifest = validate('manifest', JSON.parse(believed.toString('utf8')), MANIFEST_FILE);
  checkFile(manifest, BUNDLE_FILE.golden, golden);
  return validate('golden-vectors', JSON.parse(golden.toString('utf8')), BUNDLE_FILE.golden);
}
