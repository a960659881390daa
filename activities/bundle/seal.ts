import { readableJson } from '../../domain/bundle/digest.js';
import { MANIFEST_FILE, MANIFEST_PAYLOAD_TYPE, SIGNATURE_FILE } from '../../domain/bundle/layout.js';
import type { LoadedBundle } from '../../domain/bundle/load.js';
import { buildManifest, type ManifestInput } from '../../domain/bundle/manifest.js';
import { signEnvelope } from '../../domain/dsse/dsse.js';
import type { ModelSpec } from '../../schemas/types.js';
import type { BundleDeps } from './deps.js';
import { writeBundle, type Copies } from './publish.js';
import { loadParts, verifyPublished } from './verify.js';

/** Tells the heartbeat, and so the Temporal UI, how far a composition is. */
export type Enter = (stage: string) => void;

/**
 * Manifest, signature, check, write, read back: the same for every new bundle.
 * @param copies which of the files lie in another bundle already and are copied inside the store
 */
export async function sealBundle(
  deps: Pick<BundleDeps, 'store' | 'signer' | 'trustedKeys'>,
  spec: ModelSpec,
  described: ManifestInput,
  files: ReadonlyMap<string, Buffer>,
  copies: Copies | null,
  enter: Enter,
): Promise<LoadedBundle> {
  const manifest = buildManifest(described, files);
  const signature = readableJson(signEnvelope(MANIFEST_PAYLOAD_TYPE, manifest.bytes, deps.signer));
  const target = { model: described.model, version: described.version, manifestSha256: manifest.sha256 };

  enter('check');
  // Nothing that would be refused on the way back is ever written.
  const bytesOf = new Map([...files, [MANIFEST_FILE, manifest.bytes], [SIGNATURE_FILE, signature]]);
  await loadParts(deps, spec, target, (name) => Promise.resolve(bytesOf.get(name) as Buffer));
  enter('write');
  await writeBundle(deps.store, target, files, { bytes: manifest.bytes, signature }, copies);
  enter('read back');
  return verifyPublished(deps, spec, target);
}
