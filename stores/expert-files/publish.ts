import { sha256Hex } from '../../domain/bundle/digest.js';
import type { PublishedExpertFile } from '../../domain/lookups/expert-file.js';
import { expertFileKey, formerExpertFileKey } from '../keys.js';
import { SluiceError } from '../../platform/errors.js';
import type { LoadedModel } from '../../platform/models.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { checkLookupFile } from './read.js';

type Store = Pick<ObjectStore, 'get' | 'putIfMatch' | 'putIfAbsent' | 'bucket'>;

/** An object's metadata holds 2 KB of ASCII; a reason in another script takes up to nine times its length. */
const MAX_METADATA_BYTES = 1_800;

/** The experts' file as it lies there, and who put it there. */
export interface PublishedFile {
  source: string;
  bytes: Buffer;
  sha256: string;
  etag: string;
  /** null where it was put there by other means than `publishLookupFile` */
  by: { actor: string; reason: string; at: string } | null;
  /** digest of the file before it; null for the first, and where nobody wrote it down */
  replaced: string | null;
}

/** The experts' file of a static lookup, as it is, checked or not; null where none has been published. */
export async function publishedFile(store: Store, model: string, file: string): Promise<PublishedFile | null> {
  const key = expertFileKey(model, file);
  const object = await store.get(key);
  if (object === null) return null;
  const { bytes, etag, metadata = {} } = object;
  const [actor, reason, at] = ['actor', 'reason', 'published-at'].map((name) => metadata[name]);
  return {
    source: `s3://${store.bucket}/${key}`,
    bytes,
    sha256: sha256Hex(bytes),
    etag,
    by: actor === undefined ? null : { actor: plain(actor), reason: plain(reason ?? ''), at: plain(at ?? '') },
    replaced: metadata['replaced'] ?? null,
  };
}

function plain(encoded: string): string {
  try {
    return decodeURIComponent(encoded);
  } catch {
    return encoded;
  }
}

/**
 * Puts an edited file where nightly jobs and releases read it, checked first, in one conditional put: whoever published in between is not overwritten.
 * Actor and reason are kept with the object, the file that it replaces under `former/`.
 * @param change.base digest of the file that the edit began from, where the editor knows it
 * @throws SluiceError InvalidInput with the findings; Conflict when the file is another one than the edit began from
 */
export async function publishLookupFile(
  store: Store,
  model: LoadedModel,
  lookup: string,
  bytes: Buffer,
  change: { actor: string; reason: string; at: string; base?: string },
): Promise<PublishedExpertFile> {
  const { findings, document, notes } = checkLookupFile(model, lookup, bytes);
  if (document === null)
    throw new SluiceError('InvalidInput', `the file has ${findings.length} mistakes; nothing was published`, {
      violations: findings,
    });
  const file = model.spec.lookups[lookup]?.file ?? '';
  const key = expertFileKey(model.spec.model, file);
  const source = `s3://${store.bucket}/${key}`;
  const current = await publishedFile(store, model.spec.model, file);
  const sha256 = sha256Hex(bytes);
  const keyOfFormer = (digest: string): string => formerExpertFileKey(model.spec.model, file, digest);
  const sourceOf = (formerKey: string): string => `s3://${store.bucket}/${formerKey}`;
  if (current?.sha256 === sha256) {
    // This very publication, whose answer was not heard.
    if (current.by?.at === change.at && current.by.actor === change.actor) {
      const { replaced } = current;
      return { source, sha256, replaced, former: replaced && sourceOf(keyOfFormer(replaced)), changed: true, notes };
    }
    return { source, sha256, replaced: sha256, former: null, changed: false, notes };
  }
  const metadata = metadataOf(change, current?.sha256);
  if (change.base !== undefined && current !== null && !current.sha256.startsWith(change.base.toLowerCase()))
    throw overtaken(
      `the file there is ${current.sha256.slice(0, 12)}${current.by === null ? '' : `, published by ${current.by.actor} (${current.by.reason})`}, not ${change.base}`,
    );
  let former: string | null = null;
  if (current !== null) {
    const formerKey = keyOfFormer(current.sha256);
    await store.putIfAbsent(formerKey, current.bytes, 'application/json');
    former = sourceOf(formerKey);
  }
  const { outcome } = await store.putIfMatch(key, bytes, current?.etag ?? null, 'application/json', metadata);
  if (outcome === 'lost') throw overtaken('somebody else published at the same moment');
  return { source, sha256, replaced: current?.sha256 ?? null, former, changed: true, notes };
}

function metadataOf(
  { actor, reason, at }: { actor: string; reason: string; at: string },
  replaced: string | undefined,
): Record<string, string> {
  const metadata = {
    ...(replaced === undefined ? {} : { replaced }),
    actor: encodeURIComponent(actor),
    reason: encodeURIComponent(reason),
    'published-at': encodeURIComponent(at),
  };
  if (JSON.stringify(metadata).length > MAX_METADATA_BYTES)
    throw new SluiceError('InvalidInput', 'the reason is too long to be kept with the file: shorten it.');
  return metadata;
}

function overtaken(what: string): SluiceError {
  return new SluiceError(
    'Conflict',
    `${what}. Nothing was published: see \`sluice synonyms show\`, bring both edits together, and publish again.`,
  );
}
