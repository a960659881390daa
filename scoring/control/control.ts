import { randomUUID } from 'node:crypto';
import { join, resolve } from 'node:path';
import { Context } from '@temporalio/activity';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { MongoClient, type Db } from 'mongodb';
import type { Logger } from 'pino';
import { createObjectStore } from '../../platform/object-store.js';
import { createAuditLog } from '../../stores/audit-log.js';
import { createReplicaRegistry, type ReplicaRegistry, type ReplicaState } from '../../stores/replica-registry.js';
import { createBundleCache } from './bundle-cache.js';
import type { Serving } from '../serving/serving.js';
import type { ServingOrders } from '../traffic/orders.js';
import { bundleFromStore, pointerFromStore, type Trust } from './bundle-source.js';
import { createKnownGeneration } from './known-generation.js';
import { createPointerFollower, type PointerFollower } from './pointer-follower.js';
import { createReplicaActivities } from './replica-activities.js';
import { createReplicaLease, type ReplicaLease } from './replica-lease.js';
import { createReplicaWorker, type ReplicaWorker } from './replica-worker.js';
import type { ScorerSettings } from '../settings.js';

/** What keeps a replica in step with the pointer and with whoever moves it. A pinned replica has none of it. */
export interface Control {
  readonly follower: PointerFollower;
  /** null without a database */
  readonly lease: ReplicaLease | null;
  /** null without Temporal */
  readonly worker: ReplicaWorker | null;
  /** Follows, holds a lease and takes orders; not before the replica's address is known, which the lease gives to others. */
  start(): void;
  /** Nobody sends orders or traffic here any more. */
  leave(): Promise<void>;
  /** Lets go of everything, once the last request has been answered. */
  close(): Promise<void>;
}

export interface ControlOptions {
  settings: ScorerSettings;
  /** TLS and API key for Temporal; the address is the settings' */
  temporal: NativeConnectionOptions;
  trust: Trust;
  serving: ServingOrders & Pick<Serving, 'reloaded'>;
  /** base URL on which this replica listens; asked for from `start` on */
  address: () => string;
  log: Logger;
}

/** A store that says nothing for so long is frozen: the follower must learn of it, and whoever asked for a reload. */
const STORE_IDLE_MS = 4_000;
/** Between looks at the pointer while Temporal cannot be reached. */
const DEAF_POLL_MS = 3_000;
/** A database that is away must not hold a renewal, or a shutdown, for long. */
const REGISTRY_TIMEOUT_MS = 2_000;

/** Serves what the last life left on disk, if it can be believed; everything else begins with `start`. */
export async function createControl(options: ControlOptions): Promise<Control> {
  const { settings, trust, serving, log } = options;
  const { model, environment } = trust;
  const { SCORER_REPLICA_ID: replicaId, SCORER_POLL_MS: pollMs } = settings;
  const store = createObjectStore({
    endpoint: settings.S3_ENDPOINT,
    region: settings.S3_REGION,
    bucket: settings.S3_BUCKET,
    accessKeyId: settings.S3_ACCESS_KEY_ID,
    secretAccessKey: settings.S3_SECRET_ACCESS_KEY,
    maxAttempts: 2,
    idleTimeoutMs: STORE_IDLE_MS,
  });
  const mongo = settings.MONGODB_URI === '' ? null : mongoOf(settings);
  // A client whose first connection fails never tries another by itself; a connected one reconnects, and this call is free.
  const database =
    mongo === null ? null : async (): Promise<Db> => (await mongo.connect()).db(settings.MONGODB_DATABASE);
  const registry = database === null ? null : createReplicaRegistry(database);
  const known = createKnownGeneration(
    database === null || registry === null
      ? {}
      : {
          'replica registry': () => registry.newestGeneration(model, environment),
          'audit log': async () => createAuditLog(await database()).latestGeneration(model, environment),
        },
    log,
  );

  const parts: { lease: ReplicaLease | null; worker: ReplicaWorker | null } = { lease: null, worker: null };
  const follower = createPointerFollower({
    trust,
    serving,
    cache: createBundleCache(join(resolve(settings.SLUICE_STATE_DIR), 'scorer-cache', replicaId)),
    readPointer: () => pointerFromStore(store, trust),
    knownGeneration: (mayWait) => known.ask(mayWait),
    readBundle: (pointer) => bundleFromStore(store, trust, pointer),
    // Orders that cannot arrive are made up for: whoever rolls out waits for what the lease says.
    pollMs: () => (parts.worker?.status() === 'unreachable' ? Math.min(DEAF_POLL_MS, pollMs) : pollMs),
    onLoaded: () => void parts.lease?.announce(),
    onRound: (outcome, seconds) => {
      if (outcome !== 'nothing-published') options.serving.reloaded(outcome, seconds);
    },
    log,
  });
  // Before there is a lease: it must not be announced at an address that is not known yet.
  await follower.startFromCache();
  if (registry !== null) parts.lease = leaseOf(options, registry, follower);
  if (settings.TEMPORAL_ADDRESS !== '') parts.worker = workerOf(options, follower);

  return {
    follower,
    ...parts,
    start() {
      follower.start();
      parts.lease?.start();
      parts.worker?.start();
    },
    async leave() {
      await Promise.all([parts.lease?.leave(), parts.worker?.stop()]);
    },
    async close() {
      await follower.stop();
      store.close();
      await mongo?.close();
    },
  };
}

/** The lease by which others see this replica, and what it serves. */
function leaseOf(
  { settings, trust: { model, environment }, address, log }: ControlOptions,
  registry: ReplicaRegistry,
  follower: PointerFollower,
): ReplicaLease {
  const instance = randomUUID();
  const state = (): ReplicaState => {
    const pointer = follower.held()?.pointer;
    return {
      instance,
      model,
      environment,
      address: settings.SCORER_ADVERTISED_URL || address(),
      generation: pointer?.generation ?? 0,
      version: pointer?.version ?? null,
      manifest_sha256: pointer?.manifest_sha256 ?? null,
    };
  };
  return createReplicaLease({
    registry,
    id: settings.SCORER_REPLICA_ID,
    state,
    leaseMs: settings.SCORER_LEASE_MS,
    renewMs: settings.SCORER_RENEW_MS,
    onGained: () => follower.nudge(),
    log,
  });
}

/** The worker by which a rollout orders this replica to reload. */
function workerOf(
  { settings, temporal, trust: { model, environment }, log }: ControlOptions,
  follower: PointerFollower,
): ReplicaWorker {
  const { SCORER_REPLICA_ID: replicaId } = settings;
  return createReplicaWorker({
    connectTo: { ...temporal, address: settings.TEMPORAL_ADDRESS },
    namespace: settings.TEMPORAL_NAMESPACE,
    replicaId,
    activities: createReplicaActivities({
      replicaId,
      model,
      environment,
      follower,
      heartbeat: () => Context.current().heartbeat(),
    }),
    onUnreachable: () => follower.nudge(),
    log,
  });
}

/** Connects when it is first used: the database may be away now and there later. */
function mongoOf({ MONGODB_URI }: ScorerSettings): MongoClient {
  return new MongoClient(MONGODB_URI, {
    appName: 'scorer',
    serverSelectionTimeoutMS: REGISTRY_TIMEOUT_MS,
    connectTimeoutMS: REGISTRY_TIMEOUT_MS,
    socketTimeoutMS: REGISTRY_TIMEOUT_MS,
  });
}
