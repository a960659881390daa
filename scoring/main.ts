import { createLog } from '../platform/log.js';
import { installRuntime } from '../platform/temporal-worker.js';
import { temporalConnection } from '../platform/temporal.js';
import { startScorer } from './scorer.js';
import { loadScorerSettings } from './settings.js';

// Composition root of the scorer: one process is one replica, or controls the serving processes of one (fleet/main.ts).
const settings = loadScorerSettings(process.env);
const log = createLog('scorer', settings.LOG_LEVEL);
// Signals are handled below, once: Temporal's own handler would end its workers before the server has drained.
installRuntime(log);

try {
  const scorer = await startScorer(settings, temporalConnection(process.env), log);
  log.info(
    { address: scorer.address, replicaId: settings.SCORER_REPLICA_ID, environment: settings.SCORER_ENVIRONMENT },
    'ready',
  );

  const stop = (signal: string): void => {
    log.info({ signal }, 'shutting down');
    scorer.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        log.fatal({ err: error }, 'shutdown failed');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
} catch (error) {
  log.fatal({ err: error }, 'the scorer cannot start');
  process.exit(1);
}
