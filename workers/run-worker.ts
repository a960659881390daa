import {
  NativeConnection,
  Runtime,
  Worker,
  type NativeConnectionOptions,
  type WorkerOptions,
} from '@temporalio/worker';
import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import type { Settings } from '../platform/config.js';
import { toFailure } from '../platform/errors.js';
import { temporalLogger } from '../platform/log.js';

const SHUTDOWN_GRACE = '20s';

/** Every error that leaves an activity has a type from the closed list and says whether another try helps. */
const failuresByType = (): {
  inbound: { execute: (input: unknown, next: (input: never) => Promise<unknown>) => Promise<unknown> };
} => ({
  inbound: {
    execute: async (input, next) => {
      try {
        return await next(input as never);
      } catch (error) {
        if (Context.current().cancellationSignal.aborted) throw error;
        throw toFailure(error);
      }
    },
  },
});

/**
 * Connects, says `ready`, and works until SIGTERM or SIGINT; then finishes what it holds and returns.
 * The Temporal runtime is told to leave signals to this function, so that a worker ends only once.
 */
export async function runWorker(
  settings: Settings,
  connectTo: NativeConnectionOptions,
  log: Logger,
  options: Omit<WorkerOptions, 'connection' | 'namespace' | 'interceptors'>,
): Promise<void> {
  Runtime.install({ logger: temporalLogger(log), shutdownSignals: [] });
  const connection = await NativeConnection.connect(connectTo);
  try {
    const worker = await Worker.create({
      connection,
      namespace: settings.TEMPORAL_NAMESPACE,
      shutdownGraceTime: SHUTDOWN_GRACE,
      interceptors: { activity: [failuresByType] },
      ...options,
    });
    const stop = () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    const running = worker.run();
    log.info({ queue: options.taskQueue }, 'ready');
    await running;
  } finally {
    await connection.close();
  }
}
