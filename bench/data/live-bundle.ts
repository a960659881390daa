import { readableJson } from '../../domain/bundle/digest.js';
import {
  BUNDLE_FILE,
  lookupVersionFile,
  MANIFEST_FILE,
  MANIFEST_PAYLOAD_TYPE,
  SIGNATURE_FILE,
} from '../../domain/bundle/layout.js';
import { bundleKey } from '../../stores/keys.js';
import { buildManifest } from '../../domain/bundle/manifest.js';
import { signEnvelope, type Signer } from '../../domain/dsse/dsse.js';
import { lookupVersion } from '../../domain/lookups/version.js';
import type { LoadedModel } from '../../platform/models.js';
import type { ObjectStore } from '../../platform/object-store.js';
import type { BundleId } from '../../domain/bundle/id.js';

/** A bundle that holds the model's static lookups and nothing to compare with: what a job needs to begin. */
export async function publishStatic(
  store: ObjectStore,
  signer: Signer,
  { spec, staticLookups, registryBytes }: LoadedModel,
  asOf: string,
): Promise<BundleId> {
  const version = '20250630-000000-1.0.0-0000000';
  const files = new Map<string, Buffer>([
    [BUNDLE_FILE.pipeline, Buffer.from('none')],
    [BUNDLE_FILE.featureRegistry, registryBytes],
  ]);
  for (const [name, { bytes }] of Object.entries(staticLookups)) {
    const file = spec.lookups[name]?.file ?? name;
    const window = { from: asOf, to: asOf };
    const record = lookupVersion({ name, bytes, asOf, window, rows: 0, createdAt: asOf, inputs: { source: 'bench' } });
    files.set(file, bytes).set(lookupVersionFile(file), readableJson(record));
  }
  const about = { releaseId: 'bench', modelVersion: '1', runId: 'none', gitSha: '0000000', dataSnapshotId: 'none' };
  const { bytes, sha256 } = buildManifest(
    { ...about, model: spec.model, version, trainedAt: asOf, asOf, metrics: {}, parentVersion: null },
    files,
  );
  files.set(SIGNATURE_FILE, readableJson(signEnvelope(MANIFEST_PAYLOAD_TYPE, bytes, signer))).set(MANIFEST_FILE, bytes);
  for (const [file, content] of files)
    await store.putIfAbsent(bundleKey(spec.model, version, file), content, 'application/octet-stream');
  return { version, manifestSha256: sha256 };
}
