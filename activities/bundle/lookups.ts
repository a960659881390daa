import { chooseLookup, type LookupCandidate } from '../../domain/bundle/choose-lookup.js';
import { sha256Hex } from '../../domain/bundle/digest.js';
import { lookupVersionFile } from '../../domain/bundle/layout.js';
import { BundleError, checkFile } from '../../domain/bundle/manifest.js';
import type { TrustedKeys } from '../../domain/dsse/dsse.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate, type SchemaName } from '../../platform/validate.js';
import type { Manifest, ModelSpec } from '../../schemas/types.js';
import { readBundleFile, readManifest } from '../../stores/manifests.js';
import type { BundleId } from '../../domain/bundle/id.js';

export interface ChosenLookup extends LookupCandidate {
  file: string;
  /** valid against the schema that the spec names */
  document: unknown;
  /** taken from the live bundle, not from the snapshot */
  rebased: boolean;
}

/** Lookup by lookup the newer of the snapshot's and the live bundle's. */
export async function chooseLookups(
  store: ObjectStore,
  trustedKeys: TrustedKeys,
  input: { model: string; snapshotPrefix: string; base: BundleId | null },
  lookups: ModelSpec['lookups'],
): Promise<Record<string, ChosenLookup>> {
  const { model, base } = input;
  const live =
    base === null
      ? null
      : { ref: { model, ...base }, manifest: await readManifest(store, trustedKeys, { model, ...base }) };
  const chosen: Record<string, ChosenLookup> = {};
  for (const [name, { file, schema }] of Object.entries(lookups)) {
    const own = await ofSnapshot(store, input.snapshotPrefix, file);
    const other = live === null ? null : await lookupOfBundle(store, live.ref, live.manifest, file);
    const { lookup, from } = chooseLookup(own, other);
    const document: unknown = JSON.parse(lookup.bytes.toString('utf8'));
    validate(schema as SchemaName, document, file);
    chosen[name] = { ...lookup, file, document, rebased: from === 'live' };
  }
  return chosen;
}

async function ofSnapshot(store: ObjectStore, prefix: string, file: string): Promise<LookupCandidate> {
  const read = async (name: string): Promise<Buffer> => {
    const key = `${prefix.replace(/\/*$/, '/')}lookups/${name}`;
    const object = await store.get(key);
    if (object === null)
      throw new SluiceError(
        'IntegrityError',
        `The snapshot lacks s3://${store.bucket}/${key} on ${store.endpoint}: take a new snapshot.`,
      );
    return object.bytes;
  };
  return candidate(file, await read(file), await read(lookupVersionFile(file)), 'the snapshot');
}

/** A lookup of a published bundle, digests checked; null where the bundle is of a time before the spec had this lookup. */
export async function lookupOfBundle(
  store: ObjectStore,
  ref: { model: string; version: string },
  manifest: Manifest,
  file: string,
): Promise<LookupCandidate | null> {
  if (manifest.files[file] === undefined) return null;
  const read = async (name: string): Promise<Buffer> => {
    const bytes = await readBundleFile(store, ref, name, manifest);
    await checkFile(manifest, name, bytes);
    return bytes;
  };
  const [bytes, made] = await Promise.all([read(file), read(lookupVersionFile(file))]);
  return candidate(file, bytes, made, `bundle ${ref.version}`);
}

/** A lookup with its version record, which must describe exactly these bytes. */
export function candidate(file: string, bytes: Buffer, madeBytes: Buffer, where: string): LookupCandidate {
  const name = lookupVersionFile(file);
  const made = validate('artifact-version', JSON.parse(madeBytes.toString('utf8')), `${name} of ${where}`);
  if (made.sha256 !== sha256Hex(bytes))
    throw new BundleError(`${name} of ${where} describes another ${file} than the one beside it`);
  return { bytes, made, madeBytes };
}
