import type { DsseEnvelope, Manifest } from '../../schemas/types.js';
import { refusalOf, verifyEnvelope, type TrustedKeys } from '../dsse/dsse.js';
import { readableJson, sha256Hex, sha256HexInTurns } from './digest.js';
import { BUNDLE_FILE, decidesScore, MANIFEST_PAYLOAD_TYPE } from './layout.js';
import { NO_GIT_SHA } from './version.js';

/** Why a bundle is not what it claims to be. Its name is its failure type: no retry helps. */
export class BundleError extends Error {
  override readonly name: ReturnType<typeof refusalOf>;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = refusalOf(options?.cause);
  }
}

export interface ManifestInput {
  model: string;
  modelVersion: string;
  version: string;
  runId: string;
  gitSha: string;
  trainedAt: string;
  asOf: string;
  dataSnapshotId: string;
  /** metrics that could not be computed are left out: the manifest states figures only */
  metrics: Record<string, number | null>;
  parentVersion: string | null;
  releaseId: string;
}

/**
 * The manifest over some files, and its bytes: the same input gives the same bytes.
 * @param files name → content, without the manifest and its signature
 */
export function buildManifest(
  input: ManifestInput,
  files: ReadonlyMap<string, Uint8Array>,
): { manifest: Manifest; bytes: Buffer; sha256: string } {
  const entries = Object.fromEntries(
    [...files].map(([name, bytes]) => [name, { sha256: sha256Hex(bytes), bytes: bytes.length }]),
  );
  const digestOf = (name: string): string => {
    const entry = entries[name];
    if (entry === undefined) throw new BundleError(`a bundle needs ${name}`);
    return entry.sha256;
  };
  const metrics = Object.entries(input.metrics).filter(
    (entry): entry is [string, number] => entry[1] !== null && Number.isFinite(entry[1]),
  );
  const manifest: Manifest = {
    schema_version: 1,
    model_name: input.model,
    model_version: input.modelVersion,
    version: input.version,
    mlflow_run_id: input.runId,
    git_sha: input.gitSha === '' ? NO_GIT_SHA : input.gitSha,
    trained_at: input.trainedAt,
    as_of: input.asOf,
    data_snapshot_id: input.dataSnapshotId,
    metrics: Object.fromEntries(metrics),
    parent_version: input.parentVersion,
    release_id: input.releaseId,
    feature_registry_sha256: digestOf(BUNDLE_FILE.featureRegistry),
    onnx_sha256: digestOf(BUNDLE_FILE.pipeline),
    content_sha256: contentSha256(entries),
    files: entries,
  };
  const bytes = readableJson(manifest);
  return { manifest, bytes, sha256: sha256Hex(bytes) };
}

/** Digest of the files that decide a score: SHA-256 over their sorted lines `name sha256`. Bundles that share it score alike. */
export function contentSha256(files: Readonly<Record<string, { sha256: string }>>): string {
  const lines = Object.keys(files)
    .filter(decidesScore)
    .sort()
    .map((name) => `${name} ${files[name]?.sha256}\n`);
  return sha256Hex(lines.join(''));
}

/**
 * The manifest's bytes, believed: exactly the ones that were signed by a trusted key and that the pointer or caller named.
 * Parse them only after this.
 */
export function verifyManifest(
  manifestBytes: Buffer,
  envelopeBytes: Buffer,
  trustedKeys: TrustedKeys,
  expectedSha256: string,
): Buffer {
  const actual = sha256Hex(manifestBytes);
  if (actual !== expectedSha256)
    throw new BundleError(`manifest.json has digest ${actual}, expected ${expectedSha256}`);
  let envelope: unknown;
  try {
    envelope = JSON.parse(envelopeBytes.toString('utf8'));
  } catch {
    throw new BundleError('manifest.sig is not JSON');
  }
  let payload: Buffer;
  try {
    payload = verifyEnvelope(envelope, MANIFEST_PAYLOAD_TYPE, trustedKeys);
  } catch (error) {
    throw new BundleError(`manifest.sig is refused: ${(error as Error).message}`, { cause: error });
  }
  if (!payload.equals(manifestBytes)) throw new BundleError('manifest.sig signs other bytes than manifest.json holds');
  if (!isAsWritten(envelope as DsseEnvelope, envelopeBytes))
    throw new BundleError('manifest.sig is not in the form in which it is written: it was changed after signing');
  return payload;
}

/** Not a byte may differ, not even one without a meaning, as a blank, or the last bits of base64. Compact or indented are both taken. */
function isAsWritten(envelope: DsseEnvelope, bytes: Buffer): boolean {
  const text = bytes.toString('utf8');
  const values = [envelope.payload, ...envelope.signatures.map(({ sig }) => sig)];
  return (
    (text === JSON.stringify(envelope) || text === `${JSON.stringify(envelope, null, 2)}\n`) &&
    values.every((value) => Buffer.from(value, 'base64').toString('base64') === value)
  );
}

/** Checks one file against what the manifest says of it; others get their turn while a large one is digested. */
export async function checkFile(manifest: Manifest, name: string, bytes: Uint8Array): Promise<void> {
  const entry = Object.hasOwn(manifest.files, name) ? manifest.files[name] : undefined;
  if (entry === undefined) throw new BundleError(`${name} is not in the manifest`);
  if (bytes.length !== entry.bytes)
    throw new BundleError(`${name} has ${bytes.length} bytes, the manifest says ${entry.bytes}`);
  const actual = await sha256HexInTurns(bytes);
  if (actual !== entry.sha256) throw new BundleError(`${name} has digest ${actual}, the manifest says ${entry.sha256}`);
}
