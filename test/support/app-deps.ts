import { createScorerMetrics } from '../../scoring/metrics/scorer-metrics.js';
import type { AppDeps } from '../../scoring/serving/app.js';
import { metricsState } from '../../scoring/serving/metrics-state.js';
import { createRequestLog } from '../../scoring/serving/request-log.js';
import type { ServingSets } from '../../scoring/traffic/serving-sets.js';
import { silent } from './live-tiny-bundle.js';

/** What the scorer's app needs over these sets, without any server beside it: no control, no prediction log, no database. */
export function appDeps(
  sets: ServingSets,
  limits: Partial<AppDeps['limits']> = {},
  changes: Partial<AppDeps> = {},
): AppDeps {
  return {
    sets,
    replica: { id: 'r-1', environment: 'production' },
    draining: () => false,
    metrics: createScorerMetrics(() => metricsState(sets, null), { ofProcess: false }),
    requestLog: createRequestLog(0, 'silent'),
    view: {
      state: () => Promise.resolve({ ready: true, reasons: [], notices: [], predictionLog: null, staleSince: null }),
      metrics: null,
      catchUp: () => Promise.resolve({ outcome: 'nothing-published' }),
    },
    predictionLog: null,
    feedback: null,
    adminToken: '',
    log: silent,
    limits: {
      maxTransactions: 1_000,
      bodyBytes: 1024 * 1024,
      scoresPerMinute: 0,
      waitMs: 10_000,
      reloadMs: 5_000,
      requestMs: 15_000,
      ...limits,
    },
    ...changes,
  };
}
