import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import { bundleExpectation } from '../domain/bundle/layout.js';
import { readLimited } from '../platform/files.js';
import { loadTrustedKeys } from '../platform/keys.js';
import { loadModel } from '../platform/models.js';
import { projectPath } from '../platform/project.js';
import { buildApp } from './serving/app.js';
import { createBundleHost, type BundleHost } from './traffic/bundle-host.js';
import { fetchBundle, type FetchedBundle, type Trust } from './control/bundle-source.js';
import { createControl, type Control } from './control/control.js';
import { drainConnections } from './serving/drain.js';
import { createFeedback } from './serving/feedback.js';
import { openLiveBundle, type LiveBundle, type Origin } from './bundles/live-bundle.js';
import type { PredictionLog } from './prediction-log/prediction-log.js';
import { startPredictionLog } from './prediction-log/start.js';
import { readiness, type Readiness } from './control/readiness.js';
import type { ScorerSettings } from './settings.js';

export interface Scorer {
  /** base URL on which it listens */
  address: string;
  /** Tells callers to go elsewhere, answers what comes meanwhile, finishes what is under way, and lets go of everything. */
  stop(): Promise<void>;
}

/** A reload that takes longer goes on, and whoever asked for it hears so: two silent tries of the store and a database that is away fit in. */
const REQUEST_DEADLINE_MS = 15_000;
const RELOAD_DEADLINE_MS = 20_000;

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

  let control: Control | null = null;
  if (settings.ARTIFACTS_DIR !== '')
    host.replace(await openPinned(resolve(settings.ARTIFACTS_DIR), trust, openBundle, log));
  else control = await createControl({ settings, temporal, trust, host, openBundle, address: () => address, log });

  const { MONGODB_URI: uri, MONGODB_DATABASE: database } = settings;
  const predictionLog = startPredictionLog(settings, { environment, replica: replicaId }, log);
  const feedback = uri === '' ? null : createFeedback({ uri, database, data: spec.data, actor: `api of ${replicaId}` });

  const follower = control?.follower ?? null;
  const app = await buildApp({
    host,
    replica: { id: replicaId, environment },
    readiness: () => readinessOf(draining, host, control, predictionLog),
    draining: () => draining,
    catchUp: follower === null ? null : () => follower.catchUp(),
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
  control?.start();

  const stop = async (): Promise<void> => {
    draining = true;
    await Promise.all([control?.leave(), drain(settings.SCORER_DRAIN_MS)]);
    await app.close();
    // After the last answer, so that it has all of them.
    await predictionLog?.close(settings.SCORER_DRAIN_MS);
    await feedback?.close();
    await control?.close();
    await host.close();
  };
  let stopping: Promise<void> | null = null;
  return { address, stop: () => (stopping ??= stop()) };
}

/** A bundle from a folder, verified as any other; no pointer is followed. */
async function openPinned(
  directory: string,
  trust: Trust,
  openBundle: (fetched: FetchedBundle, origin: Origin) => Promise<LiveBundle>,
  log: Logger,
): Promise<LiveBundle> {
  const fetched = await fetchBundle((name, limit) => readLimited(join(directory, name), limit), trust, null);
  const { environment } = trust;
  const live = await openBundle(fetched, { from: 'pinned', generation: null, environment, pointer: null });
  log.info({ version: fetched.loaded.version, directory }, 'bundle is pinned; no pointer is followed');
  return live;
}

/** The parts' own states, as the signals of which readiness is made. */
function readinessOf(
  draining: boolean,
  host: BundleHost,
  control: Control | null,
  predictionLog: PredictionLog | null,
): Readiness {
  const live = host.current();
  const held = control?.lease?.status();
  const followed = control?.follower.status();
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
    temporal: control?.worker?.status() ?? 'none',
    predictionLog: predictionLog?.status() ?? null,
  });
}
