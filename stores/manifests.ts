import { bundleKey } from './keys.js';
import { MANIFEST_FILE, SIGNATURE_FILE } from '../domain/bundle/layout.js';
import { sha256Hex } from '../domain/bundle/digest.js';
import { limitOf, PROOF_LIMIT, type ReadLimit } from '../domain/bundle/limits.js';
import { verifyManifest } from '../domain/bundle/manifest.js';
import type { TrustedKeys } from '../domain/dsse/dsse.js';
import { SluiceError } from '../platform/errors.js';
import type { ObjectStore } from '../platform/object-store.js';
import { validate } from '../platform/validate.js';
import type { Manifest } from '../schemas/types.js';

/**
 * The manifest of a published bundle, signature checked.
 * @param ref manifestSha256 null: whichever manifest lies there, if it is signed (an operator named the bundle by its version alone)
 */
export async function readManifest(
  store: ObjectStore,
  trustedKeys: TrustedKeys,
  ref: { model: string; version: string; manifestSha256: string | null },
): Promise<Manifest> {
  const [bytes, signature] = (await Promise.all(
    ([MANIFEST_FILE, SIGNATURE_FILE] as const).map((file) => readBundleFile(store, ref, file, PROOF_LIMIT[file])),
  )) as [Buffer, Buffer];
  const believed = verifyManifest(bytes, signature, trustedKeys, ref.manifestSha256 ?? sha256Hex(bytes));
  const manifest = validate('manifest', JSON.parse(believed.toString('utf8')), `${ref.version}/${MANIFEST_FILE}`);
  if (manifest.version !== ref.version || manifest.model_name !== ref.model)
    throw new SluiceError(
      'IntegrityError',
      `The manifest of ${ref.model}/${ref.version} is of ${manifest.model_name}/${manifest.version}.`,
    );
  return manifest;
}

/**
 * One file of a published bundle. A pointer or an operator named the bundle, so a missing file is damage, not an answer.
 * @param of what may be read of it: a limit, or the bundle's manifest, which says its length
 */
export async function readBundleFile(
  store: ObjectStore,
  { model, version }: { model: string; version: string },
  file: string,
  of: ReadLimit | Manifest,
): Promise<Buffer> {
  const key = bundleKey(model, version, file);
  const object = await store.get(key, 'files' in of ? limitOf(of, file) : of);
  if (object === null)
    throw new SluiceError(
      'IntegrityError',
      `Bundle ${model}/${version} lacks ${file} (s3://${store.bucket}/${key} on ${store.endpoint}). Publish it again.`,
    );
  return object.bytes;
}
