import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import { checkFile } from '../../domain/bundle/manifest.js';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import type { DriftReference } from '../../domain/drift/types.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate } from '../../platform/validate.js';
import type { Manifest } from '../../schemas/types.js';
import { readBundleFile, readManifest } from '../../stores/manifests.js';

/** A bundle by its signed manifest, and what a window is compared with: null for a bundle that was made before profiles were. */
export interface BundleReference {
  manifest: Manifest;
  reference: DriftReference | null;
}

/**
 * The profile of the training data that a published bundle carries, checked against its signed manifest. Nothing else of the bundle is read.
 * @throws SluiceError IntegrityError for a bundle that is damaged
 */
export async function readReference(
  store: ObjectStore,
  trustedKeys: TrustedKeys,
  ref: { model: string; version: string; manifestSha256: string },
): Promise<BundleReference> {
  const manifest = await readManifest(store, trustedKeys, ref);
  if (manifest.files[BUNDLE_FILE.profile] === undefined) return { manifest, reference: null };
  const bytes = await readBundleFile(store, ref, BUNDLE_FILE.profile, manifest);
  await checkFile(manifest, BUNDLE_FILE.profile, bytes);
  const file = `${ref.version}/${BUNDLE_FILE.profile}`;
  const profile = validate('reference-profile', JSON.parse(bytes.toString('utf8')), file);
  return {
    manifest,
    reference: {
      model: ref.model,
      modelVersion: manifest.model_version,
      bundleVersion: ref.version,
      profile,
      metrics: manifest.metrics,
    },
  };
}
