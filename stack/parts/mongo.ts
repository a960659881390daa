import { MongoClient, MongoServerError } from 'mongodb';
import { accepts, portOf, type PartContext, type ServerPart } from './part.js';

const REPLICA_SET = 'rs0';
const NOT_YET_INITIALIZED = 94;

/** mongod as a replica set of one node, so that transactions and change streams work. */
export function mongoPart(context: PartContext): ServerPart {
  const port = portOf(context, 'mongo');
  const uri = `mongodb://127.0.0.1:${port}/?directConnection=true`;
  return {
    provides: { MONGODB_URI: uri },
    spec: (binary) => ({
      name: 'mongo',
      command: binary,
      args: [
        '--replSet',
        REPLICA_SET,
        '--bind_ip',
        '127.0.0.1',
        '--port',
        String(port),
        '--dbpath',
        context.paths.mongo,
        '--nounixsocket',
        '--quiet',
        '--wiredTigerCacheSizeGB',
        '0.5',
        // the demo's oplog need not be 5 % of the disk, and mongod's own diagnostics cost a second of CPU a minute
        '--oplogSize',
        '256',
        '--setParameter',
        'diagnosticDataCollectionEnabled=false',
      ],
      env: context.base,
      cwd: context.paths.root,
      logFile: `${context.paths.logs}/mongo.log`,
      address: `127.0.0.1:${port}`,
      isReady: async () => (await accepts('127.0.0.1', port)) && (await isPrimary(uri, `127.0.0.1:${port}`)),
      readyTimeoutMs: 120_000,
      stopGraceMs: 15_000,
    }),
  };
}

interface ReplicaSetConfig {
  version: number;
  members: { _id: number; host: string }[];
}

/** Whether the node accepts writes; sets the replica set up on the first start, and after the port had to change. */
async function isPrimary(uri: string, host: string): Promise<boolean> {
  const client = new MongoClient(uri, {
    serverSelectionTimeoutMS: 2_000,
    connectTimeoutMS: 2_000,
    retryReads: false,
    retryWrites: false,
  });
  try {
    const admin = client.db('admin');
    const hello = await admin.command({ hello: 1 });
    if (hello['isWritablePrimary'] === true) return true;
    try {
      const { config } = (await admin.command({ replSetGetConfig: 1 })) as unknown as { config: ReplicaSetConfig };
      if (config.members[0]?.host === host) return false;
      const moved = { ...config, version: config.version + 1, members: [{ ...config.members[0], host }] };
      await admin.command({ replSetReconfig: moved, force: true });
    } catch (error) {
      if (!(error instanceof MongoServerError) || error.code !== NOT_YET_INITIALIZED) throw error;
      await admin.command({ replSetInitiate: { _id: REPLICA_SET, members: [{ _id: 0, host }] } });
    }
    return false;
  } finally {
    await client.close();
  }
}
