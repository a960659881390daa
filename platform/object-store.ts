import { createReadStream, createWriteStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { MAX_BYTES, type ReadLimit } from '../domain/bundle/limits.js';
import { withoutCredentials } from './credentials.js';
import { isNetworkError, saysDiskIsFull, SluiceError } from './errors.js';
import { toFileError } from './files.js';

export interface ObjectStoreOptions {
  /** `http://host:port`; addressed by path, so that no DNS entry per bucket is needed */
  endpoint: string;
  region: string;
  bucket: string;
  accessKeyId: string;
  secretAccessKey: string;
  /**
   * Tries per call inside the SDK. 1 by default: inside activities Temporal owns the retries.
   * A process without Temporal in front of it (the scorer) may ask for more.
   */
  maxAttempts?: number;
  /** how long a connection may be silent; 15 s if not said, less for somebody who waits */
  idleTimeoutMs?: number;
}

export interface StoredObject {
  key: string;
  bytes: number;
  etag: string;
  /** when it was written, ISO, by the server's clock */
  modifiedAt: string;
}

/** An S3 bucket. Keys are relative to it; a missing object is `null`, everything else that fails throws a `SluiceError`. */
export interface ObjectStore {
  /** for messages: without credentials */
  readonly endpoint: string;
  readonly bucket: string;
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
  ensureBucket(): Promise<void>;
  close(): void;
}

export type PutIfMatch = { outcome: 'swapped'; etag: string } | { outcome: 'lost' };

interface S3Error {
  name?: string;
  code?: string;
  message?: string;
  $metadata?: { httpStatusCode?: number };
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Without a sign of life for so long a server is not there: well under the 20 s that a short activity has, so that the error names it. */
const IDLE_TIMEOUT_MS = 15_000;
const PART_BYTES = 8 * 1024 * 1024;

export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  const { bucket } = options;
  const endpoint = withoutCredentials(options.endpoint);
  const clientWith = (maxAttempts: number): S3Client =>
    new S3Client({
      endpoint: options.endpoint,
      region: options.region,
      forcePathStyle: true,
      credentials: { accessKeyId: options.accessKeyId, secretAccessKey: options.secretAccessKey },
      maxAttempts,
      requestHandler: {
        connectionTimeout: CONNECT_TIMEOUT_MS,
        socketTimeout: options.idleTimeoutMs ?? IDLE_TIMEOUT_MS,
      },
    });
  const client = clientWith(options.maxAttempts ?? 1);
  const once = clientWith(1);

  /** The SDK's error is not kept as a cause: it carries the request, whose headers hold the signature. */
  const failure = (error: unknown, doing: string): unknown => {
    if (error instanceof SluiceError) return error;
    const e = error as S3Error;
    const status = e.$metadata?.httpStatusCode;
    const where = `S3 at ${endpoint} (bucket ${bucket})`;
    if (isNetworkError(error)) {
      return new SluiceError(
        'Unreachable',
        `${where} cannot be reached for ${doing}: ${e.code ?? e.name ?? ''}. Check that the server runs and that S3_ENDPOINT is right; \`sluice status\` shows what is up.`,
      );
    }
    if (saysDiskIsFull(`${e.name ?? ''} ${e.message ?? ''}`, status)) {
      return new SluiceError(
        'DiskFull',
        `${where} has no space left for ${doing}: ${e.message ?? e.name ?? ''}. Free some there; what waits goes on by itself.`,
      );
    }
    if (e.name === 'NoSuchBucket') {
      return new SluiceError(
        'NotFound',
        `${where}: the bucket does not exist. Create it, or set S3_BUCKET to one that exists.`,
      );
    }
    if (status === 401 || status === 403) {
      return new SluiceError(
        'Rejected',
        `${where} refused ${doing} (HTTP ${status}, ${e.name ?? ''}). Check S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY and the bucket's policy.`,
      );
    }
    if (status !== undefined && status >= 400) {
      const type = status === 408 || status === 429 || status >= 500 ? 'Unreachable' : 'Rejected';
      return new SluiceError(
        type,
        `${where} answered ${doing} with HTTP ${status} ${e.name ?? ''}: ${e.message ?? ''}`.trimEnd(),
      );
    }
    return error;
  };

  const guarded = async <T>(doing: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw failure(error, doing);
    }
  };

  const orNull = async <T>(doing: string, call: () => Promise<T>): Promise<T | null> =>
    guarded(doing, async () => {
      try {
        return await call();
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    });

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

  /** The whole body; nothing is kept of one that is refused. */
  const collect = async (
    key: string,
    { body, bytes }: { body: Readable; bytes: number | null },
    { maxBytes, exactBytes }: ReadLimit,
  ): Promise<Buffer> => {
    const refusal = (length: number, stated: string): SluiceError | null => {
      const what = `S3 at ${endpoint}: ${bucket}/${key} has ${stated}${length} bytes`;
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
  };

  const store: ObjectStore = {
    endpoint,
    bucket,

    async get(key, limit = { maxBytes: MAX_BYTES.document }) {
      const object = await open(key);
      if (object === null) return null;
      return guarded(`get ${key}`, async () => {
        const found = { bytes: await collect(key, object, limit), etag: object.etag };
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

    putIfAbsent: (key, bytes, contentType) =>
      guarded(`put ${key}`, async () => {
        try {
          await client.send(
            new PutObjectCommand({ Bucket: bucket, Key: key, Body: bytes, ContentType: contentType, IfNoneMatch: '*' }),
          );
          return 'created';
        } catch (error) {
          const status = (error as S3Error).$metadata?.httpStatusCode;
          if (status === 412) return 'exists';
          // 409: a rival's write of the same key is under way; whether it will stand is not known yet.
          if (status === 409) {
            if ((await store.head(key)) !== null) return 'exists';
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
          const status = (error as S3Error).$metadata?.httpStatusCode;
          // 404: If-Match on an object that is gone. 409: a rival is writing; S3 asks to read again, which the caller does.
          if (status === 412 || status === 409 || (status === 404 && (error as S3Error).name !== 'NoSuchBucket'))
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

    ensureBucket: () =>
      guarded('create bucket', async () => {
        try {
          await client.send(new HeadBucketCommand({ Bucket: bucket }));
          return;
        } catch (error) {
          if ((error as S3Error).$metadata?.httpStatusCode !== 404) throw error;
        }
        try {
          await client.send(new CreateBucketCommand({ Bucket: bucket }));
        } catch (error) {
          if (!['BucketAlreadyOwnedByYou', 'BucketAlreadyExists'].includes((error as S3Error).name ?? '')) throw error;
        }
      }),

    close() {
      client.destroy();
      once.destroy();
    },
  };
  return store;
}

/** A missing object; a missing bucket is a mistake in the settings and stays an error (HEAD cannot tell the two apart). */
function isMissing(error: unknown): boolean {
  const e = error as S3Error;
  return e.$metadata?.httpStatusCode === 404 && e.name !== 'NoSuchBucket';
}
