import { sha256Hex } from '../../domain/bundle/digest.js';
import { BUNDLE_FILE } from '../../domain/bundle/layout.js';
import type { LoadedBundle } from '../../domain/bundle/load.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate, type SchemaName } from '../../platform/validate.js';
import type { ArtifactVersion, ModelSpec } from '../../schemas/types.js';
import type { RecomposeActivities, Replacement } from './contract.js';
import { candidate } from './lookups.js';

type Kept = Awaited<ReturnType<RecomposeActivities['recomposeBundle']>>['kept'][number];

/** A file that goes into the new bundle, read and checked. */
export interface ReadReplacement {
  file: string;
  bytes: Buffer;
  document: unknown;
  /** null for a file that is no lookup */
  lookup: { name: string; made: ArtifactVersion; madeBytes: Buffer } | null;
}

/**
 * Reads what is to replace the base's files. What would change nothing, or put something older in the place of something newer, is kept out,
 * with the reason.
 * @throws SluiceError IntegrityError where an object is not what was announced; InvalidInput for a file that cannot be replaced
 */
export async function readReplacements(
  store: ObjectStore,
  lookups: ModelSpec['lookups'],
  base: LoadedBundle,
  replacements: readonly Replacement[],
): Promise<{ changed: ReadReplacement[]; kept: Kept[] }> {
  const files = replacements.map(({ file }) => file);
  const twice = files.find((file, i) => files.indexOf(file) !== i);
  if (twice !== undefined) throw new SluiceError('InvalidInput', `${twice} is to be replaced twice`);

  const changed: ReadReplacement[] = [];
  const kept: Kept[] = [];
  for (const replacement of replacements) {
    const read = await readOne(store, lookups, replacement);
    const reason = reasonToKeep(base, read);
    if (reason === null) changed.push(read);
    else kept.push({ file: read.file, ...reason });
  }
  return { changed, kept };
}

/** Why the base's own file stays, or null. Where both are of the same `as_of`, the replacement wins: somebody made it on purpose. */
function reasonToKeep(base: LoadedBundle, { file, bytes, lookup }: ReadReplacement): Omit<Kept, 'file'> | null {
  if (base.manifest.files[file]?.sha256 === sha256Hex(bytes))
    return { state: 'unchanged', why: 'the live one has the same content' };
  const live = lookup === null ? undefined : base.lookupVersions[lookup.name];
  if (lookup === null || live === undefined || Date.parse(lookup.made.as_of) >= Date.parse(live.as_of)) return null;
  const why = `the live one is newer (as of ${live.as_of}, this one as of ${lookup.made.as_of})`;
  return { state: 'older', why };
}

async function readOne(
  store: ObjectStore,
  lookups: ModelSpec['lookups'],
  { file, objectKey, sha256, versionKey }: Replacement,
): Promise<ReadReplacement> {
  const entry = Object.entries(lookups).find(([, lookup]) => lookup.file === file);
  if (entry === undefined && file !== BUNDLE_FILE.thresholds)
    throw new SluiceError(
      'InvalidInput',
      `${file} cannot be replaced: only the model's lookups and ${BUNDLE_FILE.thresholds} can; the rest is the model's`,
    );
  const bytes = await read(store, objectKey);
  const actual = sha256Hex(bytes);
  if (actual !== sha256)
    throw new SluiceError(
      'IntegrityError',
      `s3://${store.bucket}/${objectKey} on ${store.endpoint} has digest ${actual}, not ${sha256} as it was announced. Find out who changed it, then rebuild it.`,
    );
  const document: unknown = JSON.parse(bytes.toString('utf8'));
  if (entry === undefined) {
    return { file, bytes, document: validate('per-category-thresholds', document, file), lookup: null };
  }
  const [name, { schema }] = entry;
  validate(schema as SchemaName, document, file);
  if (versionKey === null) throw new SluiceError('InvalidInput', `lookup ${name} comes without its version record`);
  const { made, madeBytes } = candidate(file, bytes, await read(store, versionKey), objectKey);
  if (made.artifact !== name)
    throw new SluiceError('IntegrityError', `${versionKey} is of ${made.artifact}, not of ${name}`);
  return { file, bytes, document, lookup: { name, made, madeBytes } };
}

async function read(store: ObjectStore, key: string): Promise<Buffer> {
  const object = await store.get(key);
  if (object === null)
    throw new SluiceError('IntegrityError', `s3://${store.bucket}/${key} on ${store.endpoint} is missing; rebuild it.`);
  return object.bytes;
}
