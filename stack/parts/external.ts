import { Connection } from '@temporalio/client';
import { MongoClient } from 'mongodb';
import { withoutCredentials } from '../../platform/credentials.js';
import { SluiceError } from '../../platform/errors.js';
import { temporalConnection } from '../../platform/temporal.js';
import type { Server } from '../types.js';
import { answers } from './mlflow.js';
import { ensureBucket } from './s3.js';
import { ensureSearchAttributes } from '../../platform/search-attributes.js';

/** A server of the user's, used instead of the stack's own. */
export interface ExternalServer {
  provides: Record<string, string>;
  /** without credentials, for people */
  address: string;
  /** Throws when it cannot be used. */
  check: () => Promise<void>;
}

interface ExternalKind {
  /** the variable that replaces the part when it is set */
  variable: string;
  /** what must be set along with it, and what may be */
  required: string[];
  optional: string[];
  check: (env: Record<string, string>) => Promise<void>;
}

const TIMEOUT_MS = 5_000;

const KINDS: Record<Server, ExternalKind> = {
  temporal: {
    variable: 'TEMPORAL_ADDRESS',
    required: [],
    optional: ['TEMPORAL_NAMESPACE', 'TEMPORAL_UI_URL'],
    check: async (env) => {
      const namespace = env['TEMPORAL_NAMESPACE'] || 'default';
      const connection = await Connection.connect({ ...temporalConnection(env), connectTimeout: TIMEOUT_MS });
      try {
        await connection.workflowService.describeNamespace({ namespace });
        await ensureSearchAttributes(connection, namespace);
      } finally {
        await connection.close();
      }
    },
  },
  mongo: {
    variable: 'MONGODB_URI',
    required: [],
    optional: ['MONGODB_DATABASE'],
    check: async (env) => {
      const client = new MongoClient(env['MONGODB_URI'] ?? '', { serverSelectionTimeoutMS: TIMEOUT_MS });
      try {
        const hello = await client.db('admin').command({ hello: 1 });
        if (hello['setName'] === undefined && hello['msg'] !== 'isdbgrid') {
          throw new Error(
            'it is a single server; Sluice uses transactions, which need a replica set (one node will do: start it with --replSet and run rs.initiate())',
          );
        }
      } finally {
        await client.close();
      }
    },
  },
  s3: {
    variable: 'S3_ENDPOINT',
    required: ['S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'],
    optional: ['S3_REGION', 'S3_BUCKET'],
    check: async (env) => {
      await ensureBucket({
        S3_ENDPOINT: env['S3_ENDPOINT'] ?? '',
        S3_REGION: env['S3_REGION'] ?? 'us-east-1',
        S3_BUCKET: env['S3_BUCKET'] ?? 'sluice',
        S3_ACCESS_KEY_ID: env['S3_ACCESS_KEY_ID'] ?? '',
        S3_SECRET_ACCESS_KEY: env['S3_SECRET_ACCESS_KEY'] ?? '',
      });
    },
  },
  mlflow: {
    variable: 'MLFLOW_TRACKING_URI',
    required: [],
    optional: [],
    check: async (env) => {
      if (!(await answers(`${env['MLFLOW_TRACKING_URI']?.replace(/\/$/, '') ?? ''}/health`, TIMEOUT_MS)))
        throw new Error('it does not answer /health with a success');
    },
  },
};

/** The user's own server for a part, if the environment names one. */
export function externalServer(server: Server, env: NodeJS.ProcessEnv): ExternalServer | null {
  const { variable, required, optional, check } = KINDS[server];
  const target = env[variable];
  if (target === undefined || target === '') return null;
  const missing = required.filter((name) => (env[name] ?? '') === '');
  if (missing.length > 0) {
    throw new SluiceError(
      'InvalidInput',
      `${variable} is set, but ${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} not: set them too, or unset ${variable} to use the stack's own ${server}.`,
    );
  }
  const provides = Object.fromEntries(
    [variable, ...required, ...optional].flatMap((name) =>
      env[name] === undefined || env[name] === '' ? [] : [[name, env[name]]],
    ),
  ) as Record<string, string>;
  const address = withoutCredentials(target);
  return {
    provides,
    address,
    check: async () => {
      try {
        await check({ ...(env as Record<string, string>), ...provides });
      } catch (error) {
        const why = withoutCredentials((error as Error).message || String(error));
        throw new SluiceError(
          'Unreachable',
          `${server} at ${address} (from ${variable}) cannot be used: ${why}. Start it or correct ${variable}, or unset it to use the stack's own.`,
          undefined,
          { cause: error },
        );
      }
    },
  };
}
