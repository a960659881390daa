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
import type { ObjectStore } from '../../platform/object-store.js';
import type { ModelSpec } from '../../schemas/types.js';
import type { BundleId } from '../../domain/bundle/id.js';

/** A signed bundle in S3 that holds lookups and, of everything else, as little as a manifest takes: what refresh jobs compare with. */
export async function publishLookups(
  store: ObjectStore,
  signer: Signer,
  { model, lookups }: Pick<ModelSpec, 'model' | 'lookups'>,
  version: string,
  documents: Record<string, { document: unknown; asOf: string }>,
): Promise<BundleId> {
  const files = new Map<string, Buffer>([
    [BUNDLE_FILE.pipeline, Buffer.from('onnx')],
    [BUNDLE_FILE.featureRegistry, Buffer.from('{}')],
  ]);
  for (const [name, { document, asOf }] of Object.entries(documents)) {
    const file = lookups[name]!.file;
    const bytes = readableJson(document);
    const window = { from: asOf, to: asOf };
    const record = lookupVersion({ name, bytes, asOf, window, rows: 1, createdAt: asOf, inputs: { made: 'by hand' } });
    files.set(file, bytes).set(lookupVersionFile(file), readableJson(record));
  }
  const manifest = buildManifest(
    {
      model,
      version,
      releaseId: 'test',
      modelVersion: '1',
      runId: 'run',
      gitSha: 'abcdef0',
      trainedAt: '2025-06-30T00:00:00Z',
      asOf: '2025-06-30T00:00:00Z',
      dataSnapshotId: 'snapshot',
      metrics: {},
      parentVersion: null,
    },
    files,
  );
  const signature = readableJson(signEnvelope(MANIFEST_PAYLOAD_TYPE, manifest.bytes, signer));
  for (const [file, bytes] of [
    ...files,
    [SIGNATURE_FILE, signature] as const,
    [MANIFEST_FILE, manifest.bytes] as const,
  ])
    await store.putIfAbsent(bundleKey(model, version, file), bytes, 'application/octet-stream');
  return { version, manifestSha256: manifest.sha256 };
}
