import type { InstallContext } from './install/context.js';
import { ensureMongod } from './install/mongod.js';
import { ensureTrainerPython } from './install/python.js';
import { ensureTemporal } from './install/temporal.js';
import { ensureVersitygw } from './install/versitygw.js';
import { externalServer, type ExternalServer } from './parts/external.js';
import { mlflowPart } from './parts/mlflow.js';
import { mongoPart } from './parts/mongo.js';
import type { PartContext, ServerPart } from './parts/part.js';
import { s3Part, type BucketEnv } from './parts/s3.js';
import { temporalPart } from './parts/temporal.js';
import type { Secrets } from './state/secrets.js';
import type { ProcessSet } from './supervise/process-set.js';
import { SERVERS, type Part, type Server } from './types.js';

/** The parts asked for, each with its addresses known and nothing started yet. */
export interface ServerPlan {
  own: Partial<Record<Server, ServerPart>>;
  external: Partial<Record<Server, ExternalServer>>;
  python: boolean;
  /** what all of them together provide */
  provides: Record<string, string>;
}

const PORT_NAMES: Record<Server, string[]> = {
  temporal: ['temporal', 'temporal-ui'],
  mongo: ['mongo'],
  s3: ['s3'],
  mlflow: ['mlflow'],
};

/** Which servers are the user's and which are ours, and the names of the ports that ours need. */
export function chooseServers(
  parts: readonly Part[],
  env: NodeJS.ProcessEnv,
): { own: Server[]; external: ServerPlan['external']; python: boolean; portNames: string[] } {
  const asked = new Set<Part>(parts);
  const external: ServerPlan['external'] = {};
  const findExternal = (server: Server): void => {
    const found = externalServer(server, env);
    if (found !== null) external[server] = found;
  };
  for (const server of SERVERS) if (asked.has(server)) findExternal(server);
  if (asked.has('mlflow') && external.mlflow === undefined) {
    // our own MLflow runs on the trainer's Python and keeps its artifacts in the bucket
    asked.add('python');
    if (!asked.has('s3')) findExternal('s3');
    asked.add('s3');
  }
  const own = SERVERS.filter((server) => asked.has(server) && external[server] === undefined);
  return { own, external, python: asked.has('python'), portNames: own.flatMap((server) => PORT_NAMES[server]) };
}

/** Builds the parts for the ports they were given. */
export function planServers(
  chosen: ReturnType<typeof chooseServers>,
  context: PartContext,
  secrets: Secrets,
  bucket: string,
): ServerPlan {
  const own: ServerPlan['own'] = {};
  if (chosen.own.includes('temporal')) own.temporal = temporalPart(context);
  if (chosen.own.includes('mongo')) own.mongo = mongoPart(context);
  if (chosen.own.includes('s3')) own.s3 = s3Part(context, secrets, bucket);
  const s3 = own.s3?.provides ?? chosen.external.s3?.provides;
  if (chosen.own.includes('mlflow')) {
    own.mlflow = mlflowPart(context, { S3_REGION: 'us-east-1', S3_BUCKET: bucket, ...s3 } as BucketEnv);
  }
  const provides = Object.assign(
    {},
    ...SERVERS.map((server) => own[server]?.provides ?? chosen.external[server]?.provides),
  ) as Record<string, string>;
  return { own, external: chosen.external, python: chosen.python, provides };
}

/** What is awaited before something that needs it is started. */
export interface ServersStarting {
  /** the trainer's interpreter; empty when it was not asked for */
  python: Promise<string>;
  /** Temporal, MongoDB and S3 serve */
  core: Promise<void>;
  all: Promise<void>;
}

/** Installs and starts the servers side by side; only MLflow waits for one of them, the S3 that it keeps its artifacts in. */
export function startServers(plan: ServerPlan, install: InstallContext, processSet: ProcessSet): ServersStarting {
  const python = plan.python ? ensureTrainerPython(install) : Promise.resolve('');
  const start = async (server: Server, installed: () => Promise<string>): Promise<void> => {
    const user = plan.external[server];
    if (user !== undefined) {
      await user.check();
      processSet.addExternal(server, user.address);
    }
    const own = plan.own[server];
    if (own === undefined) return;
    const executable = await installed();
    install.signal?.throwIfAborted();
    await processSet.start([own.spec(executable)], server === 'mlflow' ? 'dependent-servers' : 'servers');
  };
  const s3 = start('s3', () => ensureVersitygw(install));
  const core = Promise.all([
    start('temporal', () => ensureTemporal(install)),
    start('mongo', () => ensureMongod(install)),
    s3,
  ]).then(() => {});
  const mlflow = s3.then(() => start('mlflow', () => python));
  return { python, core, all: Promise.all([core, mlflow, python]).then(() => {}) };
}
