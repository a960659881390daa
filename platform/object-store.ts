import { openBucket, type ObjectStoreOptions } from './s3/bucket.js';
import { readsOf, type ObjectReads } from './s3/read.js';
import { ensureBucket, writesOf, type ObjectWrites } from './s3/write.js';

export type { ObjectStoreOptions } from './s3/bucket.js';
export type { StoredObject } from './s3/read.js';

/** An S3 bucket: how it is read is in `s3/read.ts`, how it is written in `s3/write.ts`. Whatever fails throws a `SluiceError`. */
export interface ObjectStore extends ObjectReads, ObjectWrites {
  /** for messages: without credentials */
  readonly endpoint: string;
  readonly bucket: string;
  ensureBucket(): Promise<void>;
  close(): void;
}

export function createObjectStore(options: ObjectStoreOptions): ObjectStore {
  const bucket = openBucket(options);
  const reads = readsOf(bucket);
  return {
    endpoint: bucket.endpoint,
    bucket: bucket.name,
    ...reads,
    ...writesOf(bucket, reads),
    ensureBucket: () => ensureBucket(bucket),
    close() {
      bucket.client.destroy();
      bucket.once.destroy();
    },
  };
}
