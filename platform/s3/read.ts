import { createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import { MAX_BYTES, type ReadLimit } from '../../domain/bundle/limits.js';
import { SluiceError } from '../errors.js';
import { toFileError } from '../files.js';
import type { Bucket } from './bucket.js';

export interface StoredObject {
  key: string;
  bytes: number;
  etag: string;
  /** when it was written, ISO, by the server's clock */
  modifiedAt: string;
}

/** Keys are relative to the bucket; a missing object is `null`. */
export interface ObjectReads {
  /**
   * A whole object, in memory. One that is longer than the limit, or than the manifest says, is refused by its stated length before anything
   * of it is read, and where that is a lie, as soon as more arrives.
   * @param limit a document's, if not said
   * @throws SluiceError TooLarge, IntegrityError
   */
  get(
    key: string,
    limit?: ReadLimit,
  ): Promise<{ bytes: Buffer; etag: string; metadata?: Record<string, string> } | null>;
  /** The body as a stream: destroy it when it is not read to its end. */
  getStream(key: string): Promise<Readable | null>;
  /** Streams an object into a file (overwritten); NotFound when there is none. */
  getToFile(key: string, path: string): Promise<{ bytes: number; etag: string }>;
  head(key: string): Promise<{ bytes: number; etag: string } | null>;
  /** Every object below a prefix, in key order. */
  list(prefix: string): Promise<StoredObject[]>;
}

export function readsOf({ name: bucket, endpoint, client, guarded, orNull }: Bucket): ObjectReads {
  const open = (key: string) =>
    orNull(`get ${key}`, async () => {
      const answer = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
      return {
        body: answer.Body as Readable,
        etag: answer.ETag ?? '',
        /** as the server states it; null where it does not */
        bytes: answer.ContentLength ?? null,
        metadata: answer.Metadata ?? {},
      };
    });

  return {
    async get(key, limit = { maxBytes: MAX_BYTES.document }) {
      const object = await open(key);
      if (object === null) return null;
      return guarded(`get ${key}`, async () => {
        const found = { bytes: await collect(object, limit, `S3 at ${endpoint}: ${bucket}/${key}`), etag: object.etag };
        return Object.keys(object.metadata).length === 0 ? found : { ...found, metadata: object.metadata };
      });
    },

    async getStream(key) {
      return (await open(key))?.body ?? null;
    },

    async getToFile(key, path) {
      const object = await open(key);
      if (object === null) throw new SluiceError('NotFound', `S3 at ${endpoint}: ${bucket}/${key} does not exist.`);
      await guarded(`get ${key}`, async () => {
        try {
          await pipeline(object.body, createWriteStream(path));
        } catch (error) {
          // A disk of ours that is full is not the server's.
          throw toFileError(error, path, 'TMPDIR');
        }
      });
      return { bytes: object.bytes ?? 0, etag: object.etag };
    },

    head: (key) =>
      orNull(`head ${key}`, async () => {
        const answer = await client.send(new HeadObjectCommand({ Bucket: bucket, Key: key }));
        return { bytes: answer.ContentLength ?? 0, etag: answer.ETag ?? '' };
      }),

    list: (prefix) =>
      guarded(`list ${prefix}`, async () => {
        const found: StoredObject[] = [];
        let token: string | undefined;
        do {
          const page = await client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: prefix,
              ...(token === undefined ? {} : { ContinuationToken: token }),
            }),
          );
          for (const { Key, Size, ETag, LastModified } of page.Contents ?? [])
            found.push({
              key: Key ?? '',
              bytes: Size ?? 0,
              etag: ETag ?? '',
              // one whose age is not known is as young as can be
              modifiedAt: (LastModified ?? new Date()).toISOString(),
            });
          token = page.NextContinuationToken;
        } while (token !== undefined);
        return found;
      }),
  };
}

/** The whole body; nothing is kept of one that is refused. */
async function collect(
  { body, bytes }: { body: Readable; bytes: number | null },
  { maxBytes, exactBytes }: ReadLimit,
  named: string,
): Promise<Buffer> {
  const refusal = (length: number, stated: string): SluiceError | null => {
    const what = `${named} has ${stated}${length} bytes`;
    if (length > maxBytes)
      return new SluiceError('TooLarge', `${what}; at most ${maxBytes} are read of an object of its kind`);
    if (exactBytes !== undefined && length !== exactBytes)
      return new SluiceError('IntegrityError', `${what}, the manifest says ${exactBytes}`);
    return null;
  };
  try {
    const early = bytes === null ? null : refusal(bytes, '');
    if (early !== null) throw early;
    // Where the length is stated, each chunk is copied once into its place: nothing of size is copied at the end.
    const whole = bytes === null ? null : Buffer.allocUnsafe(bytes);
    const chunks: Buffer[] = [];
    let length = 0;
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const soFar = length + chunk.length;
      const beyond = soFar > (exactBytes ?? maxBytes) ? refusal(soFar, 'at least ') : null;
      if (beyond !== null) throw beyond;
      if (whole === null) chunks.push(chunk);
      else chunk.copy(whole, length);
      length = soFar;
    }
    const late = refusal(length, '');
    if (late !== null) throw late;
    return whole === null ? Buffer.concat(chunks, length) : whole.subarray(0, length);
  } finally {
    body.destroy();
  }
}
