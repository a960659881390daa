import { CreateBucketCommand, HeadBucketCommand, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import type { Secrets } from '../state/secrets.js';
import { accepts, portOf, type PartContext, type ServerPart } from './part.js';

/** versitygw: an S3 server over a directory, with the conditional puts that the pointer needs. */
export function s3Part(context: PartContext, secrets: Secrets, bucket: string): ServerPart {
  const port = portOf(context, 's3');
  const endpoint = `http://127.0.0.1:${port}`;
  const provides = {
    S3_ENDPOINT: endpoint,
    S3_REGION: 'us-east-1',
    S3_BUCKET: bucket,
    S3_ACCESS_KEY_ID: secrets.s3AccessKeyId,
    S3_SECRET_ACCESS_KEY: secrets.s3SecretAccessKey,
  };
  return {
    provides,
    spec: (binary) => ({
      name: 's3',
      command: binary,
      args: ['--quiet', '--port', `127.0.0.1:${port}`, 'posix', context.paths.s3],
      env: { ...context.base, ROOT_ACCESS_KEY: secrets.s3AccessKeyId, ROOT_SECRET_KEY: secrets.s3SecretAccessKey },
      cwd: context.paths.root,
      logFile: `${context.paths.logs}/s3.log`,
      address: endpoint,
      isReady: async () => (await accepts('127.0.0.1', port)) && (await ensureBucket(provides)),
      readyTimeoutMs: 30_000,
      stopGraceMs: 10_000,
      advise: (tail) =>
        tail.includes('xattr')
          ? `The file system of ${context.paths.s3} has no extended attributes, which the S3 server keeps metadata in: set SLUICE_STATE_DIR to a directory on one that has (ext4, xfs, btrfs, apfs), or S3_ENDPOINT to an S3 of yours.`
          : undefined,
    }),
  };
}

/** The variables that say where the bucket is and with which keys. */
export interface BucketEnv {
  S3_ENDPOINT: string;
  S3_REGION: string;
  S3_BUCKET: string;
  S3_ACCESS_KEY_ID: string;
  S3_SECRET_ACCESS_KEY: string;
}

/** True when the bucket is there, or was made now; throws what the server answered otherwise. */
export async function ensureBucket(env: BucketEnv): Promise<boolean> {
  const client = new S3Client({
    endpoint: env.S3_ENDPOINT,
    region: env.S3_REGION,
    forcePathStyle: true,
    maxAttempts: 1,
    credentials: { accessKeyId: env.S3_ACCESS_KEY_ID, secretAccessKey: env.S3_SECRET_ACCESS_KEY },
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 10_000 },
  });
  try {
    await client.send(new HeadBucketCommand({ Bucket: env.S3_BUCKET }));
  } catch (error) {
    if (!(error instanceof S3ServiceException) || error.$metadata.httpStatusCode !== 404) throw error;
    await client.send(new CreateBucketCommand({ Bucket: env.S3_BUCKET }));
  } finally {
    client.destroy();
  }
  return true;
}
