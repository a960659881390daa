import { randomBytes } from 'node:crypto';
import { Connection } from '@temporalio/client';
import { inject } from 'vitest';
import { ensureBucket, type BucketEnv } from '../../stack/parts/s3.js';
import { ensureSearchAttributes } from '../../platform/search-attributes.js';
import type { Part } from '../../stack/index.js';
import { askDesk } from './desk.js';

export interface SharedServers {
  /** the variables of platform/config.ts; the bucket, the database and the namespace that they name are this caller's own */
  env: Record<string, string>;
}

/**
 * The run's servers for one test file: `beforeAll(async () => { servers = await useServers(['mongo', 's3']); })`.
 * They serve other files too, so a test that kills, stops or reconfigures one starts its own (`startTestStack`). Nothing is to be stopped.
 * Own are: `S3_BUCKET`, `MONGODB_DATABASE` and `TEMPORAL_NAMESPACE`, with the search attributes. MLflow has one registry: name models uniquely.
 */
export async function useServers(parts: readonly Part[]): Promise<SharedServers> {
  const env = await askDesk<Record<string, string>>(inject('serversDesk'), parts.join(','));
  const name = `test-${randomBytes(6).toString('hex')}`;
  if (parts.includes('mongo')) env['MONGODB_DATABASE'] = name;
  if (parts.includes('s3')) {
    env['S3_BUCKET'] = name;
    await ensureBucket(env as unknown as BucketEnv);
  }
  if (parts.includes('temporal')) {
    env['TEMPORAL_NAMESPACE'] = name;
    await registerNamespace(env['TEMPORAL_ADDRESS'] as string, name);
  }
  return { env };
}

const ONE_DAY_SECONDS = 86_400;

async function registerNamespace(address: string, namespace: string): Promise<void> {
  const connection = await Connection.connect({ address });
  try {
    const workflowExecutionRetentionPeriod = { seconds: ONE_DAY_SECONDS as never };
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod });
    await ensureSearchAttributes(connection, namespace);
  } finally {
    await connection.close();
  }
}
