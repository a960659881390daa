import { readableJson, sha256Hex } from '../../domain/bundle/digest.js';
import { lookupVersionFile } from '../../domain/bundle/layout.js';
import { lookupVersion } from '../../domain/lookups/version.js';
import { artifactState } from '../../domain/refresh/state.js';
import { REFRESH_JOBS, type RefreshedArtifact, type RefreshJob } from '../../domain/refresh/types.js';
import { refreshPrefix } from '../../stores/keys.js';
import type { CheckResult } from '../../domain/release/types.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate, type SchemaName } from '../../platform/validate.js';
import type { ModelSpec, RefreshResult } from '../../schemas/types.js';
import type { RefreshInput } from './contract.js';
import type { LiveLookups } from './live.js';

type Store = Pick<ObjectStore, 'get' | 'putIfAbsent' | 'endpoint' | 'bucket'>;

/** One lookup as a job made it, before anything is written. */
export interface MadeArtifact {
  job: RefreshJob;
  /** the lookup's name, file and schema in the model's spec */
  lookup: string;
  file: string;
  schema: string;
  /** the document; or the bytes that hold it, where they are somebody else's and must stay as they are */
  content: { document: unknown } | { bytes: Buffer };
  /** of the data it was made from, ISO */
  window: { from: string; to: string };
  rows: number;
  /** what it was made from, by name: goes into the version record */
  inputs: Record<string, string>;
  /** wall-clock time, ISO; now by default */
  createdAt?: string;
  checks: CheckResult[];
  notes: string[];
}

/** The lookups of a model that a job remakes: those whose builder is the job's, in the spec's order. */
export function lookupsOfJob(
  spec: Pick<ModelSpec, 'lookups'>,
  job: RefreshJob,
): { name: string; file: string; schema: string }[] {
  return Object.entries(spec.lookups)
    .filter(([, { builder }]) => builder === REFRESH_JOBS[job])
    .map(([name, { file, schema }]) => ({ name, file, schema }));
}

/**
 * What a job stored for this key before, or null when it has to be made (anew): ask before reading any data. An attempt that was killed
 * halfway through writing is completed here.
 * @param live may still be being opened: it is waited for when something was found
 */
export async function storedArtifacts(
  store: Store,
  input: RefreshInput,
  job: RefreshJob,
  lookups: readonly { name: string; file: string }[],
  live: LiveLookups | Promise<LiveLookups>,
): Promise<RefreshedArtifact[] | null> {
  const found: RefreshedArtifact[] = [];
  for (const { name, file } of lookups) {
    const place = placeOf(input, job, file);
    const object = await store.get(place.result);
    if (object === null) return null;
    const before = await (await live).lookup(name);
    found.push(await settle(store, place, readResult(object.bytes, place.result), before));
  }
  return found;
}

/**
 * Stores what a job made, once per key: whatever attempt or run comes first decides, and every later one gets the same answer. One conditional
 * put of the whole result makes it so; file and version record, which readers look for, are written from it, the version record last.
 * Only the artifact's `state` is told anew each time, since the live bundle moves.
 * @throws SluiceError InvalidInput when the document does not fit its schema
 */
export async function publishArtifact(
  store: Store,
  input: RefreshInput,
  made: MadeArtifact,
  live: LiveLookups,
): Promise<RefreshedArtifact> {
  const { job, lookup, file } = made;
  const bytes = 'bytes' in made.content ? made.content.bytes : readableJson(made.content.document);
  validate(made.schema as SchemaName, JSON.parse(bytes.toString('utf8')), file);
  const version = lookupVersion({
    name: lookup,
    bytes,
    asOf: input.asOf,
    window: made.window,
    rows: made.rows,
    createdAt: made.createdAt ?? new Date().toISOString(),
    inputs: made.inputs,
  });
  const result: RefreshResult = {
    job,
    lookup,
    file,
    content: bytes.toString('utf8'),
    version: validate('artifact-version', version, lookupVersionFile(file)),
    compared_with: live.version,
    checks: made.checks,
    notes: made.notes,
  };
  const place = placeOf(input, job, file);
  const written = readableJson(validate('refresh-result', result, place.result));
  const outcome = await store.putIfAbsent(place.result, written, 'application/json');
  const stored = outcome === 'created' ? written : (await store.get(place.result))?.bytes;
  if (stored === undefined)
    throw new SluiceError(
      'Unreachable',
      `s3://${store.bucket}/${place.result} vanished while it was written; try again.`,
    );
  return settle(store, place, readResult(stored, place.result), await live.lookup(lookup));
}

interface Place {
  /** S3 keys */
  result: string;
  document: string;
  version: string;
}

function placeOf({ model, key }: RefreshInput, job: RefreshJob, file: string): Place {
  const prefix = refreshPrefix(model, key, job);
  return {
    result: `${prefix}${file.replace(/\.json$/, '')}.result.json`,
    document: prefix + file,
    version: prefix + lookupVersionFile(file),
  };
}

function readResult(bytes: Buffer, key: string): RefreshResult {
  const result = validate('refresh-result', JSON.parse(bytes.toString('utf8')), key);
  validate('artifact-version', result.version, `${key}#/version`);
  if (sha256Hex(result.content) !== result.version.sha256)
    throw new SluiceError('IntegrityError', `${key}: its content has another digest than its version record says.`);
  return result;
}

/** Makes sure that file and version record lie there as the result says, and answers with the artifact. */
async function settle(
  store: Store,
  { document, version }: Place,
  result: RefreshResult,
  live: Awaited<ReturnType<LiveLookups['lookup']>>,
): Promise<RefreshedArtifact> {
  await writeOnce(store, document, Buffer.from(result.content, 'utf8'));
  await writeOnce(store, version, readableJson(result.version));
  const own = { document: JSON.parse(result.content) as unknown, made: result.version };
  return {
    job: result.job,
    lookup: result.lookup,
    file: result.file,
    objectKey: document,
    versionKey: version,
    sha256: result.version.sha256,
    version: result.version.version,
    asOf: result.version.as_of,
    rows: result.version.rows,
    state: artifactState(result.job, own, live),
    checks: result.checks,
    notes: result.notes,
  };
}

async function writeOnce(store: Store, key: string, bytes: Buffer): Promise<void> {
  if ((await store.putIfAbsent(key, bytes, 'application/json')) === 'created') return;
  const present = await store.get(key);
  if (present === null || present.bytes.equals(bytes)) return;
  throw new SluiceError(
    'IntegrityError',
    `s3://${store.bucket}/${key} on ${store.endpoint} was changed after it was written (${sha256Hex(present.bytes)}, not ${sha256Hex(bytes)}). Delete the folder and run the job again.`,
  );
}
