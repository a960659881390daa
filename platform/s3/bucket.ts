import { S3Client } from '@aws-sdk/client-s3';
import { withoutCredentials } from '../credentials.js';
import { isMissing, storeFailure } from './errors.js';

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

/** A bucket, the connections to it, and what its failures are called. */
export interface Bucket {
  readonly name: string;
  /** for messages: without credentials */
  readonly endpoint: string;
  readonly client: S3Client;
  /** as `client`, without any tries of its own */
  readonly once: S3Client;
  /** A call whose failure is thrown as a `SluiceError` that says what was being done. */
  guarded<T>(doing: string, call: () => Promise<T>): Promise<T>;
  /** As `guarded`; null where the object is missing. */
  orNull<T>(doing: string, call: () => Promise<T>): Promise<T | null>;
}

const CONNECT_TIMEOUT_MS = 5_000;
/** Without a sign of life for so long a server is not there: well under the 20 s that a short activity has, so that the error names it. */
const IDLE_TIMEOUT_MS = 15_000;

export function openBucket(options: ObjectStoreOptions): Bucket {
  const { bucket: name } = options;
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

  const guarded = async <T>(doing: string, call: () => Promise<T>): Promise<T> => {
    try {
      return await call();
    } catch (error) {
      throw storeFailure(error, `S3 at ${endpoint} (bucket ${name})`, doing);
    }
  };
  const orNull = <T>(doing: string, call: () => Promise<T>): Promise<T | null> =>
    guarded(doing, async () => {
      try {
        return await call();
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    });
  return { name, endpoint, client: clientWith(options.maxAttempts ?? 1), once: clientWith(1), guarded, orNull };
}
