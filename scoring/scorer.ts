import { randomUUID } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { Context } from '@temporalio/activity';
import { MongoClient, type Db } from 'mongodb';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { bundleExpectation } from '../domain/bundle/layout.js';
import { readLimited } from '../platform/files.js';
import { loadTrustedKeys } from '../platform/keys.js';
import { loadModel } from '../platform/models.js';
import { createObjectStore, type ObjectStore } from '../platform/object-store.js';
import { projectPath } from '../platform/project.js';
import { createAuditLog } from '../stores/audit-log.js';
import { createReplicaRegistry, type ReplicaState } from '../stores/replica-registry.js';
import { buildApp } from './app.js';
import { createBundleCache } from './bundle-cache.js';
import { createBundleHost } from './bundle-host.js';
import { bundleFromStore, fetchBundle, pointerFromStore, type FetchedBundle, type Trust } from './bundle-source.js';
import { drainConnections } from './drain.js';
import { createFeedback } from './feedback.js';
import { createKnownGeneration } from './known-generation.js';
import { openLiveBundle, type Origin } from './live-bundle.js';
import { createPointerFollower, type PointerFollower } from './pointer-follower.js';
import { startPredictionLog } from './prediction-log/start.js';
import { readiness } from './readiness.js';
import { createReplicaActivities } from './replica-activities.js';
import { createReplicaLease, type ReplicaLease } from './replica-lease.js';
import { createReplicaWorker, type ReplicaWorker } from './replica-worker.js';
import type { ScorerSettings } from './settings.js';

export interface Scorer {
  /** base URL on which it listens */
  address: string;
  /** Tells callers to go elsewhere, answers what comes meanwhile, finishes what is under way, and lets go of everything. */
  stop(): Promise<void>;
}

/** A store that says nothing for so long is frozen: the follower must learn of it, and whoever asked for a reload. */
const STORE_IDLE_MS = 4_000;
/** A reload that takes longer goes on, and whoever asked for it hears so: two silent tries of the store and a database that is away fit in. */
const REQUEST_DEADLINE_MS = 15_000;
const RELOAD_DEADLINE_MS = 20_000;
/** Between looks at the pointer while Temporal cannot be reached. */
const DEAF_POLL_MS = 3_000;
/** A database that is away must not hold a renewal, or a shutdown, for long. */
const REGISTRY_TIMEOUT_MS = 2_000;

/**
 * Wires and starts a scorer. It listens when this returns; whether it is ready is another question, which `/v1/health` answers.
 * @param threadFile tests only: the compiled ONNX thread
 * @throws SluiceError for settings, keys, a spec or a pinned bundle that cannot be used: starting again would not help
 */
export async function startScorer(
  settings: ScorerSettings,
  /** TLS and API key for Temporal; the address is the settings' */
  temporal: NativeConnectionOptions,
  log: Logger,
  threadFile?: URL,
): Promise<Scorer> {
  const replicaId = settings.SCORER_REPLICA_ID;
  const environment = settings.SCORER_ENVIRONMENT;
  const model = settings.SCORER_MODEL;
  const { spec } = await loadModel(settings.SLUICE_MODELS_DIR || projectPath('models'), model);
  const trustedKeys = await loadTrustedKeys(settings.SLUICE_TRUSTED_KEYS_FILE);
  const trust: Trust = { model, environment, trustedKeys, expected: bundleExpectation(spec) };

  const host = createBundleHost(log);
  const openBundle = (fetched: FetchedBundle, origin: Origin) =>
    openLiveBundle(fetched.loaded, origin, { spec, log, threadFile });
  let draining = false;
  let address = '';

  let follower: PointerFollower | null = null;
  let lease: ReplicaLease | null = null;
  let worker: ReplicaWorker | null = null;
  let store: ObjectStore | null = null;
  let mongo: MongoClient | null = null;

  if (settings.ARTIFACTS_DIR !== '') {
    const directory = resolve(settings.ARTIFACTS_DIR);
    const fetched = await fetchBundle((name, limit) => readLimited(join(directory, name), limit), trust, null);
    host.replace(await openBundle(fetched, { from: 'pinned', generation: null, environment, pointer: null }));
    log.info({ version: fetched.loaded.version, directory }, 'bundle is pinned; no pointer is followed');
  } else {
    store = createObjectStore({
      endpoint: settings.S3_ENDPOINT,
      region: settings.S3_REGION,
      bucket: settings.S3_BUCKET,
      accessKeyId: settings.S3_ACCESS_KEY_ID,
      secretAccessKey: settings.S3_SECRET_ACCESS_KEY,
      maxAttempts: 2,
      idleTimeoutMs: STORE_IDLE_MS,
    });
    const from = store;
    const database = settings.MONGODB_URI === '' ? null : databaseOf(settings, (client) => (mongo = client));
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
    const following = createPointerFollower({
      trust,
      host,
      cache: createBundleCache(join(resolve(settings.SLUICE_STATE_DIR), 'scorer-cache', replicaId)),
      readPointer: () => pointerFromStore(from, trust),
      knownGeneration: (mayWait) => known.ask(mayWait),
      readBundle: (pointer) => bundleFromStore(from, trust, pointer),
      openBundle,
      // Orders that cannot arrive are made up for: whoever rolls out waits for what the lease says.
      pollMs: () =>
        worker?.status() === 'unreachable' ? Math.min(DEAF_POLL_MS, settings.SCORER_POLL_MS) : settings.SCORER_POLL_MS,
      onLoaded: () => void lease?.announce(),
      log,
    });
    follower = following;
    await following.startFromCache();

    if (registry !== null) {
      const instance = randomUUID();
      const state = (): ReplicaState => ({
        instance,
        model,
        environment,
        address: settings.SCORER_ADVERTISED_URL || address,
        generation: following.held()?.pointer.generation ?? 0,
        version: following.held()?.pointer.version ?? null,
        manifest_sha256: following.held()?.pointer.manifest_sha256 ?? null,
      });
      lease = createReplicaLease({
        registry,
        id: replicaId,
        state,
        leaseMs: settings.SCORER_LEASE_MS,
        renewMs: settings.SCORER_RENEW_MS,
        onGained: () => following.nudge(),
        log,
      });
    }
    if (settings.TEMPORAL_ADDRESS !== '') {
      const activities = createReplicaActivities({
        replicaId,
        model,
        environment,
        follower: following,
        heartbeat: () => Context.current().heartbeat(),
      });
      worker = createReplicaWorker({
        connectTo: { ...temporal, address: settings.TEMPORAL_ADDRESS },
        namespace: settings.TEMPORAL_NAMESPACE,
        replicaId,
        activities,
        onUnreachable: () => following.nudge(),
        log,
      });
    }
  }

  const { MONGODB_URI: uri, MONGODB_DATABASE: database } = settings;
  const predictionLog = startPredictionLog(settings, { environment, replica: replicaId }, log);
  const feedback = uri === '' ? null : createFeedback({ uri, database, data: spec.data, actor: `api of ${replicaId}` });

  const ready = () => {
    const live = host.current();
    const held = lease?.status();
    const followed = follower?.status();
    return readiness({
      draining,
      bundle: live !== null,
      models: live?.healthy ?? false,
      registry: held?.registry ?? 'none',
      caughtUp: (followed?.caughtUpAtMs ?? -1) >= (held?.gainedAtMs ?? Infinity),
      firstLease: held?.gained === 1,
      pointerError: followed?.error ?? null,
      newerElsewhere:
        Math.max(held?.newestGeneration ?? 0, followed?.knownGeneration ?? 0) > (live?.origin.generation ?? 0),
      temporal: worker?.status() ?? 'none',
      predictionLog: predictionLog?.status() ?? null,
    });
  };

  const following = follower;
  const catchUp = following === null ? null : () => following.catchUp();
  const app = await buildApp({
    host,
    replica: { id: replicaId, environment },
    readiness: ready,
    draining: () => draining,
    catchUp,
    predictionLog,
    feedback,
    adminToken: settings.SLUICE_ADMIN_TOKEN,
    log,
    limits: {
      maxTransactions: settings.SCORER_MAX_TRANSACTIONS,
      bodyBytes: settings.SCORER_BODY_BYTES,
      scoresPerMinute: settings.SCORER_RATE_PER_MINUTE,
      reloadMs: RELOAD_DEADLINE_MS,
      requestMs: REQUEST_DEADLINE_MS,
    },
  });
  const drain = drainConnections(app.server);
  await app.listen({ host: settings.SCORER_HOST, port: settings.SCORER_PORT });
  address = `http://${settings.SCORER_HOST}:${(app.server.address() as AddressInfo).port}`;
  // From here on the address is known, which the lease tells others.
  follower?.start();
  lease?.start();
  worker?.start();

  const stop = async (): Promise<void> => {
    draining = true;
    await Promise.all([lease?.leave(), worker?.stop(), drain(settings.SCORER_DRAIN_MS)]);
    await app.close();
    // After the last answer, so that it has all of them.
    await predictionLog?.close(settings.SCORER_DRAIN_MS);
    await feedback?.close();
    await follower?.stop();
    await host.close();
    store?.close();
    await mongo?.close();
  };
  let stopping: Promise<void> | null = null;
  return { address, stop: () => (stopping ??= stop()) };
}

/** A way to the database that may fail now and work later. */
function databaseOf(
  { MONGODB_URI, MONGODB_DATABASE }: ScorerSettings,
  opened: (client: MongoClient) => void,
): () => Promise<Db> {
  const client = new MongoClient(MONGODB_URI, {
    appName: 'scorer',
    serverSelectionTimeoutMS: REGISTRY_TIMEOUT_MS,
    connectTimeoutMS: REGISTRY_TIMEOUT_MS,
    socketTimeoutMS: REGISTRY_TIMEOUT_MS,
  });
  opened(client);
  // A client whose first connection fails never tries another by itself; a connected one reconnects, and this call is free.
  return async () => (await client.connect()).db(MONGODB_DATABASE);
}
