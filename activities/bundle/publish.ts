import { sha256Hex } from '../../domain/bundle/digest.js';
import { bundleKey, claimKey } from '../../stores/keys.js';
import { MANIFEST_FILE, SIGNATURE_FILE } from '../../domain/bundle/layout.js';
import { MAX_BYTES } from '../../domain/bundle/limits.js';
import { formatBundleVersion } from '../../domain/bundle/version.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';

const MAX_SECONDS_LATER = 60;

/**
 * A version's name for exactly one composition. Names have a resolution of a second and a base has one successor, so two releases that
 * export at once want the same: the first one to write the claim gets it, the other takes the next second. A retry finds its own claim.
 * @param owner what tells this composition from every other: the digest of its whole input
 */
export async function claimVersion(
  store: ObjectStore,
  input: { model: string; createdAt: string; semver: string; gitSha: string; releaseId: string },
  owner: string,
): Promise<string> {
  const claim = Buffer.from(JSON.stringify({ release_id: input.releaseId, input_sha256: owner }) + '\n');
  for (let later = 0; later <= MAX_SECONDS_LATER; later++) {
    const createdAt = new Date(Date.parse(input.createdAt) + later * 1000).toISOString();
    const version = formatBundleVersion(createdAt, input.semver, input.gitSha);
    const key = claimKey(input.model, version);
    if ((await store.putIfAbsent(key, claim, 'application/json')) === 'created') return version;
    if ((await store.get(key))?.bytes.equals(claim) === true) return version;
  }
  throw new SluiceError(
    'Conflict',
    `Every bundle name of ${input.model} in the minute after ${input.createdAt} is taken; start the release again.`,
  );
}

/** Files that another bundle of the same model has already. */
export interface Copies {
  fromVersion: string;
  names: ReadonlySet<string>;
}

/** Writes every file once, the signature after them and the manifest last: a bundle without a manifest is no bundle yet. */
export async function writeBundle(
  store: ObjectStore,
  ref: { model: string; version: string },
  files: ReadonlyMap<string, Buffer>,
  manifest: { bytes: Buffer; signature: Buffer },
  copies: Copies | null = null,
): Promise<void> {
  await Promise.all(
    [...files].map(([name, bytes]) =>
      copies?.names.has(name) === true
        ? copyOnce(store, ref, copies.fromVersion, name)
        : writeOnce(store, ref, name, bytes),
    ),
  );
  await writeOnce(store, ref, SIGNATURE_FILE, manifest.signature);
  await writeOnce(store, ref, MANIFEST_FILE, manifest.bytes);
}

/**
 * Inside the store, without the bytes passing through here. The claim on the version keeps other writers away, so what is there already is
 * from an earlier attempt of ours; that it has the right bytes is checked when the bundle is read back.
 */
async function copyOnce(
  store: ObjectStore,
  { model, version }: { model: string; version: string },
  fromVersion: string,
  name: string,
): Promise<void> {
  const key = bundleKey(model, version, name);
  if ((await store.head(key)) === null) await store.copy(bundleKey(model, fromVersion, name), key);
}

/** What is there already must be what we would have written: then an earlier attempt of ours wrote it. */
async function writeOnce(
  store: ObjectStore,
  { model, version }: { model: string; version: string },
  name: string,
  bytes: Buffer,
): Promise<void> {
  const key = bundleKey(model, version, name);
  if ((await store.putIfAbsent(key, bytes, contentType(name))) === 'created') return;
  const present = await store.get(key, { maxBytes: MAX_BYTES.model });
  if (present === null || present.bytes.equals(bytes)) return;
  throw new SluiceError(
    'IntegrityError',
    `s3://${store.bucket}/${key} on ${store.endpoint} was written before with other content (${sha256Hex(present.bytes)}, not ${sha256Hex(bytes)}). Published objects never change: start a new release.`,
  );
}

function contentType(name: string): string {
  if (name.endsWith('.json') || name === SIGNATURE_FILE) return 'application/json';
  return name.endsWith('.md') ? 'text/markdown; charset=utf-8' : 'application/octet-stream';
}
