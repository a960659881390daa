import { createReadStream } from 'node:fs';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  HeadBucketCommand,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { SluiceError } from '../errors.js';
import type { Bucket } from './bucket.js';
import { isMissing, nameOf, statusOf } from './errors.js';
import type { ObjectReads } from './read.js';

export interface ObjectWrites {
  /** Writes once (`If-None-Match: *`): of any number of rivals exactly one gets `created`. */
  putIfAbsent(key: string, bytes: Buffer, contentType: string): Promise<'created' | 'exists'>;
  /**
   * Replaces the object only if it still has this etag (`If-Match`); etag null: only if there is none.
   * Never retried by the SDK: after a lost reply a second try would be refused by its own first success. The caller reads back.
   * @param metadata kept with the object: at most 2 KB, names in lower case, values in ASCII
   */
  putIfMatch(
    key: string,
    bytes: Buffer,
    etag: string | null,
    contentType?: string,
    metadata?: Record<string, string>,
  ): Promise<PutIfMatch>;
  /** Streams a file up in parts; memory stays at a few parts whatever its size. Overwrites. */
  putFile(key: string, path: string, contentType?: string): Promise<void>;
  /** Copies inside the bucket, on the server. NotFound when the source is missing. */
  copy(from: string, to: string): Promise<void>;
  /** One that is not there is deleted already. */
  delete(key: string): Promise<void>;
}

export type PutIfMatch = { outcome: 'swapped'; etag: string } | { outcome: 'lost' };

const PART_BYTES = 8 * 1024 * 1024;

export function writesOf(
  { name: bucket, endpoint, client, once, guarded }: Bucket,
  { head }: Pick<ObjectReads, 'head'>,
): ObjectWrites {
  return {
    putIfAbsent: (key, bytes, contentType) =>
      guarded(`put ${key}`, async () => {
        try {
          await client.send(
            new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ContentType: contentType, IfNoneMatch: '*' }),
          );
          return 'created';
        } catch (error) {
          const status = statusOf(error);
          if (status === 412) return 'exists';
          // 409: a rival's write of the same key is under way; whether it will stand is not known yet.
          if (status === 409) {
            if ((await head(key)) !== null) return 'exists';
            throw new SluiceError(
              'Unreachable',
              `S3 at ${endpoint}: a rival write of ${bucket}/${key} is under way; try again.`,
            );
          }
          throw error;
        }
      }),

    putIfMatch: (key, bytes, etag, contentType = 'application/json', metadata = {}) =>
      guarded(`conditional put ${key}`, async () => {
        try {
          const condition = etag === null ? { IfNoneMatch: '*' } : { IfMatch: etag };
          const answer = await once.send(
            new PutObjectCommand({
              Bucket: bucket,
              Key: key,
              Body: bytes,
              ContentType: contentType,
              Metadata: metadata,
              ...condition,
            }),
          );
          return { outcome: 'swapped', etag: answer.ETag ?? '' };
        } catch (error) {
          const status = statusOf(error);
          // 404: If-Match on an object that is gone. 409: a rival is writing; S3 asks to read again, which the caller does.
          if (status === 412 || status === 409 || (status === 404 && nameOf(error) !== 'NoSuchBucket'))
            return { outcome: 'lost' };
          throw error;
        }
      }),

    putFile: (key, path, contentType = 'application/octet-stream') =>
      guarded(`put ${key}`, async () => {
        const body = createReadStream(path, { highWaterMark: 1024 * 1024 });
        try {
          await new Upload({
            client,
            partSize: PART_BYTES,
            queueSize: 2,
            params: { Bucket: bucket, Key: key, Body: body, ContentType: contentType },
          }).done();
        } finally {
          body.destroy();
        }
      }),

    copy: (from, to) =>
      guarded(`copy ${from}`, async () => {
        try {
          const source = [bucket, ...from.split('/')].map(encodeURIComponent).join('/');
          await client.send(new CopyObjectCommand({ Bucket: bucket, Key: to, CopySource: source }));
        } catch (error) {
          if (isMissing(error))
            throw new SluiceError('NotFound', `S3 at ${endpoint}: ${bucket}/${from} does not exist.`);
          throw error;
        }
      }),

    delete: (key) =>
      guarded(`delete ${key}`, async () => {
        try {
          await client.send(new DeleteObjectCommand({ Bucket: bucket, Key: key }));
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
      }),
  };
}

/** Creates the bucket where there is none yet. */
export function ensureBucket({ name: bucket, client, guarded }: Bucket): Promise<void> {
  return guarded('create bucket', async () => {
    try {
      await client.send(new HeadBucketCommand({ Bucket: bucket }));
      return;
    } catch (error) {
      if (statusOf(error) !== 404) throw error;
    }
    try {
      await client.send(new CreateBucketCommand({ Bucket: bucket }));
    } catch (error) {
      if (!['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'].includes(nameOf(error))) throw error;
    }
  });
}
