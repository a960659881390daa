import {
  NativeConnection,
  Runtime,
  Worker,
  type ActivityInterceptors,
  type NativeConnectionOptions,
  type WorkerInterceptors,
  type WorkerOptions,
} from '@temporalio/worker';
import { Context } from '@temporalio/activity';
import type { Logger } from 'pino';
import { recorderOf } from '../domain/metrics/recorder.js';
import type { Settings } from './config.js';
import { withDiskTold } from './disk.js';
import { toFailure } from './errors.js';
import { temporalLogger } from './log.js';
import { explainExporter, exportedAt, recordAggregations } from './metrics.js';
import { requireSearchAttributes } from './search-attributes.js';
import type { System } from './system.js';

const SHUTDOWN_GRACE = '20s';
/** What a workflow waits for a worker that was killed before another takes it up; a busy one that is later than this costs a replay. */
const TAKEN_OVER_AFTER = '3s';
/** Heartbeats are sent as often as activities make them; by default most of a heartbeat timeout may pass before the next is sent. */
const HEARTBEATS_SENT_EVERY = '2s';

/**
 * What every worker of ours does around an activity: each error that leaves it has a type from the closed list and says whether another
 * try helps. The errors of a cancelled activity are left alone, or Temporal would not see that it was cancelled.
 * @param explain names the server that an error comes from (`System.explain`)
 * @param where begins every message, where the process is not obvious: "replica scorer-0"
 * @param stateDir where the stack keeps its data; its disk is looked at when a server cannot be reached
 */
export function activityInterceptors(
  explain: (error: unknown) => unknown = (error) => error,
  where?: string,
  stateDir?: string,
): WorkerInterceptors {
  const failuresByType = (): ActivityInterceptors => ({
    inbound: {
      execute: (input, next) =>
        timed(async () => {
          try {
            return await next(input);
          } catch (error) {
            if (Context.current().cancellationSignal.aborted) throw error;
            const failure = toFailure(explain(error), where);
            throw stateDir === undefined ? failure : await withDiskTold(failure, stateDir);
          }
        }),
    },
  });
  return { activity: [failuresByType] };
}

/** Measures an activity. @param work fails with what leaves the activity, whose type is known */
async function timed<T>(work: () => Promise<T>): Promise<T> {
  const { metricMeter, cancellationSignal } = Context.current();
  const startedAt = performance.now();
  const ended = (outcome: string): void =>
    recorderOf(metricMeter).observe('sluice_activity_seconds', (performance.now() - startedAt) / 1000, { outcome });
  try {
    const result = await work();
    ended('ok');
    return result;
  } catch (error) {
    ended(cancellationSignal.aborted ? 'cancelled' : (toFailure(error).type ?? 'Error'));
    throw error;
  }
}

/**
 * What a worker's process takes over from Temporal's runtime: its log, the signals, so that it ends only once, and its metrics.
 * @param metricsAddress IP address and port that serve `/metrics`; empty: nothing is measured
 * @throws SluiceError InvalidInput when metrics cannot be served there
 */
export function installRuntime(log: Logger, metricsAddress = ''): void {
  const options = { logger: temporalLogger(log), shutdownSignals: [] };
  if (metricsAddress === '') {
    Runtime.install(options);
    return;
  }
  try {
    Runtime.install({ ...options, telemetryOptions: exportedAt(metricsAddress) });
  } catch (error) {
    throw explainExporter(error, metricsAddress);
  }
  recordAggregations(Runtime.instance().metricMeter);
}

export type WorkerProcessOptions = Pick<
  WorkerOptions,
  'activities' | 'maxConcurrentActivityTaskExecutions' | 'workflowBundle'
> & { taskQueue: string };

/**
 * Connects, checks that the namespace has our search attributes, logs `ready` and works until SIGTERM or SIGINT; then finishes what it
 * holds and returns.
 * @throws SluiceError InvalidInput that names the search attributes the namespace lacks, with the command that adds them
 */
export async function runWorker(
  {
    settings,
    log,
    explain,
  }: Pick<System<never>, 'log' | 'explain'> & {
    settings: Pick<Settings, 'TEMPORAL_NAMESPACE' | 'SLUICE_STATE_DIR' | 'WORKER_METRICS_ADDRESS'>;
  },
  connectTo: NativeConnectionOptions,
  options: WorkerProcessOptions,
): Promise<void> {
  installRuntime(log, settings.WORKER_METRICS_ADDRESS);
  const connection = await NativeConnection.connect(connectTo);
  try {
    await requireSearchAttributes(connection, settings.TEMPORAL_NAMESPACE, log);
    const worker = await Worker.create({
      connection,
      namespace: settings.TEMPORAL_NAMESPACE,
      shutdownGraceTime: SHUTDOWN_GRACE,
      stickyQueueScheduleToStartTimeout: TAKEN_OVER_AFTER,
      maxHeartbeatThrottleInterval: HEARTBEATS_SENT_EVERY,
      interceptors: activityInterceptors(explain, undefined, settings.SLUICE_STATE_DIR),
      ...options,
    });
    const stop = () => {
      if (worker.getState() === 'RUNNING') worker.shutdown();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
    const running = worker.run();
    const metrics = settings.WORKER_METRICS_ADDRESS;
    log.info(
      { queue: options.taskQueue, ...(metrics === '' ? {} : { metrics: `http://${metrics}/metrics` }) },
      'ready',
    );
    await running;
  } finally {
    await connection.close();
  }
}
