import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { readableJson, sha256Hex } from '../../domain/bundle/digest.js';
import type { SnapshotRef } from '../../domain/release/types.js';
import { SluiceError } from '../../platform/errors.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { validate } from '../../platform/validate.js';
import type { SnapshotRecord } from '../../schemas/types.js';
import { SNAPSHOT_FILE } from '../../stores/keys.js';

type Store = Pick<ObjectStore, 'get' | 'head' | 'putIfAbsent' | 'putFile' | 'endpoint' | 'bucket'>;
type Digest = SnapshotRecord['files'][string];

/** A file's length and digest, without holding it. */
export async function digestOfFile(path: string): Promise<Digest> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return { sha256: hash.digest('hex'), bytes: (await stat(path)).size };
}

/**
 * Writes a small file of a snapshot once. When an earlier attempt wrote it already, that one stands: it says the same but for the time at which
 * it was made.
 */
export async function putOnce(store: Store, key: string, bytes: Buffer): Promise<{ bytes: Buffer; digest: Digest }> {
  const outcome = await store.putIfAbsent(key, bytes, 'application/json');
  const stored = outcome === 'created' ? bytes : (await store.get(key))?.bytes;
  if (stored === undefined)
    throw new SluiceError('Unreachable', `s3://${store.bucket}/${key} vanished while it was written; try again.`);
  return { bytes: stored, digest: { sha256: sha256Hex(stored), bytes: stored.length } };
}

/**
 * The complete snapshot below a prefix, if there is one. Cheap: every file is asked for its length, none is read.
 * @throws SluiceError IntegrityError when a file that the record lists is missing or has another length
 */
export async function existingSnapshot(store: Store, prefix: string): Promise<SnapshotRef | null> {
  const object = await store.get(prefix + SNAPSHOT_FILE.record);
  if (object === null) return null;
  const record = validate('snapshot-record', JSON.parse(object.bytes.toString('utf8')), prefix + SNAPSHOT_FILE.record);
  await Promise.all(
    Object.entries(record.files).map(async ([name, { bytes }]) => {
      const found = await store.head(prefix + name);
      if (found?.bytes === bytes) return;
      throw new SluiceError(
        'IntegrityError',
        `the snapshot ${record.ref.dataSnapshotId} is damaged: ${name} ${found === null ? 'is missing' : `has ${found.bytes} bytes instead of ${bytes}`}. Remove everything below s3://${store.bucket}/${prefix} on ${store.endpoint} to have it written again.`,
      );
    }),
  );
  return record.ref;
}

/** Writes the record, which makes the snapshot complete. Of rivals, the first stands; all have the same content. */
export async function completeSnapshot(
  store: Store,
  ref: SnapshotRef,
  files: Record<string, Digest>,
): Promise<SnapshotRef> {
  const record = validate('snapshot-record', { ref, files }, SNAPSHOT_FILE.record);
  const { bytes } = await putOnce(store, ref.prefix + SNAPSHOT_FILE.record, readableJson(record));
  return (JSON.parse(bytes.toString('utf8')) as SnapshotRecord).ref;
}
