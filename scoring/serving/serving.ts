import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { openBundle, type OpenOptions } from '../bundles/open-bundle.js';
import { createBundlePool } from '../bundles/pool.js';
import type { PredictionLogStatus } from '../prediction-log/prediction-log.js';
import { startPredictionLog } from '../prediction-log/start.js';
import type { ScorerSettings } from '../settings.js';
import { createOrders, type ServingOrders } from '../traffic/orders.js';
import { bundlesOf } from '../traffic/serving-set.js';
import { createServingSets } from '../traffic/serving-sets.js';
import { createScorerMetrics, type ReloadOutcome } from '../metrics/scorer-metrics.js';
import { buildApp } from './app.js';
import { drainConnections } from './drain.js';
import { createFeedback } from './feedback.js';
import type { ControlView } from './control-view.js';
import { metricsState } from './metrics-state.js';
import { createRequestLog } from './request-log.js';

/** What a serving process is like at this moment. */
export interface ServingStatus {
  /** of the set that answers; null for none, or a pinned one */
  generation: number | null;
  /** there is a set */
  serves: boolean;
  /** its models can score */
  models: boolean;
  /** why the kernel does not run its models; null when it does, or there is no set */
  kernelRefusal: string | null;
  /** processes that are being replaced */
  away: number;
  /** null when it is off */
  predictionLog: PredictionLogStatus | null;
}

/** The half of a scorer that answers requests, with what control orders of it. */
export interface Serving extends ServingOrders {
  /** From here on it answers; returns the base URL. */
  listen(port: number): Promise<string>;
  status(): Promise<ServingStatus>;
  /** as plain objects, a list for each process */
  metrics(): Promise<object[][]>;
  /** A look at the pointer, or at a pinned directory, ended. */
  reloaded(outcome: ReloadOutcome, seconds: number): void;
  /** Answers on, and asks clients to leave; over when none is left, or after `SCORER_DRAIN_MS`. */
  drain(): Promise<void>;
  /** After the last answer: what is under way ends, and the prediction log has all of it. */
  close(): Promise<void>;
}

export interface ServingOptions {
  settings: ScorerSettings;
  spec: OpenOptions['spec'] & { data: Parameters<typeof createFeedback>[0]['data'] };
  view: ControlView;
  log: Logger;
}

/** A request that takes longer to arrive is given up, and a reload that takes longer goes on without whoever asked for it. */
const REQUEST_DEADLINE_MS = 15_000;
const RELOAD_DEADLINE_MS = 20_000;
/** after draining, for requests that are still under way */
const LAST_ANSWERS_MS = 1_500;
/** after the last answer: a full prediction log is written in less */
const LAST_PREDICTIONS_MS = 4_000;

export async function createServing({ settings, spec, view, log }: ServingOptions): Promise<Serving> {
  const replica = { id: settings.SCORER_REPLICA_ID, environment: settings.SCORER_ENVIRONMENT };
  const pool = createBundlePool((loaded) => openBundle(loaded, { spec, log }), log);
  const requestLog = createRequestLog(settings.SCORER_REQUEST_LOG, settings.LOG_LEVEL);
  const sets = createServingSets((set) => bundlesOf(set).forEach((bundle) => pool.release(bundle)));
  const { MONGODB_URI: uri, MONGODB_DATABASE: database } = settings;
  const where = { environment: replica.environment, replica: replica.id };
  const predictionLog = startPredictionLog(settings, where, log);
  const feedback =
    uri === '' ? null : createFeedback({ uri, database, data: spec.data, actor: `api of ${replica.id}` });
  const metrics = createScorerMetrics(() => metricsState(sets, predictionLog));
  let draining = false;

  const app = await buildApp({
    sets,
    replica,
    view,
    draining: () => draining,
    metrics,
    requestLog,
    predictionLog,
    feedback,
    adminToken: settings.SLUICE_ADMIN_TOKEN,
    log,
    limits: {
      maxTransactions: settings.SCORER_MAX_TRANSACTIONS,
      bodyBytes: settings.SCORER_BODY_BYTES,
      scoresPerMinute: settings.SCORER_RATE_PER_MINUTE,
      waitMs: settings.SCORER_MAX_WAIT_MS,
      reloadMs: RELOAD_DEADLINE_MS,
      requestMs: REQUEST_DEADLINE_MS,
    },
  });
  const drainServer = drainConnections(app.server);

  return {
    ...createOrders(pool, sets),
    async listen(port) {
      await app.listen({ host: settings.SCORER_HOST, port });
      return `http://${settings.SCORER_HOST}:${(app.server.address() as AddressInfo).port}`;
    },
    status() {
      const set = sets.current();
      return Promise.resolve({
        generation: set?.origin.generation ?? null,
        serves: set !== null,
        models: set?.champion.models.healthy ?? false,
        kernelRefusal: set?.champion.models.kernelRefusal ?? null,
        away: 0,
        predictionLog: predictionLog?.status() ?? null,
      });
    },
    metrics: async () => [await metrics.json()],
    reloaded: (outcome, seconds) => metrics.reload(outcome, seconds),
    drain() {
      draining = true;
      return drainServer(settings.SCORER_DRAIN_MS);
    },
    async close() {
      // Clients had time to leave; one that never finishes its request would hold up the end.
      const late = setTimeout(() => app.server.closeAllConnections(), LAST_ANSWERS_MS);
      await app.close();
      clearTimeout(late);
      requestLog.close();
      await predictionLog?.close(LAST_PREDICTIONS_MS);
      await feedback?.close();
      sets.replace(null);
      await sets.drained();
      await pool.idle();
    },
  };
}
