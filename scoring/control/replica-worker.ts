import { setTimeout as delay } from 'node:timers/promises';
import { NativeConnection, Worker, type NativeConnectionOptions } from '@temporalio/worker';
import type { Logger } from 'pino';
import type { ReplicaActivities } from '../../activities/rollout/contract.js';
import { createBackoff } from '../../platform/backoff.js';
import { activityInterceptors } from '../../platform/temporal-worker.js';
import { replicaQueue } from '../../workflows/common/queues.js';

/** The Temporal worker inside the scorer's process. */
export interface ReplicaWorker {
  start(): void;
  status(): 'connected' | 'unreachable';
  /** Takes nothing new, finishes what it has. */
  stop(): Promise<void>;
}

export interface ReplicaWorkerOptions {
  connectTo: NativeConnectionOptions;
  namespace: string;
  replicaId: string;
  activities: ReplicaActivities;
  /** orders do not arrive any more */
  onUnreachable: () => void;
  log: Logger;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
const PROBE_MS = 5_000;
const PROBE_TIMEOUT_MS = 3_000;

/** Activities only (a worker with workflows idles at twice the memory). Temporal may be down for as long as it likes. */
export function createReplicaWorker({
  connectTo,
  namespace,
  replicaId,
  activities,
  onUnreachable,
  log,
}: ReplicaWorkerOptions): ReplicaWorker {
  let status: 'connected' | 'unreachable' = 'unreachable';
  const become = (next: typeof status): void => {
    const lost = status === 'connected' && next === 'unreachable';
    status = next;
    if (lost) onUnreachable();
  };
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) => stopping.signal.addEventListener('abort', () => resolve()));
  let looping: Promise<void> | null = null;

  /** A worker keeps polling in silence while the server is away: whether orders can arrive has to be asked. */
  const probe = async (connection: NativeConnection, signal: AbortSignal): Promise<void> => {
    while (await waited(PROBE_MS, signal)) {
      const answered = await connection
        .withDeadline(Date.now() + PROBE_TIMEOUT_MS, () => connection.workflowService.getSystemInfo({}))
        .then(
          () => true,
          () => false,
        );
      if (!signal.aborted) become(answered ? 'connected' : 'unreachable');
    }
  };

  /** Until told to stop, or until a worker gives up. */
  const work = async (): Promise<void> => {
    const connection = await NativeConnection.connect(connectTo);
    try {
      const worker = await Worker.create({
        connection,
        namespace,
        taskQueue: replicaQueue(replicaId),
        activities,
        identity: `scorer-${replicaId}`,
        interceptors: activityInterceptors(undefined, `replica ${replicaId}`),
        shutdownGraceTime: '10s',
        maxConcurrentActivityTaskExecutions: 4,
      });
      const run = worker.run();
      become('connected');
      log.info({ replicaId }, 'polling Temporal for reload requests');
      const ended = new AbortController();
      const probing = probe(connection, AbortSignal.any([stopping.signal, ended.signal]));
      try {
        await Promise.race([stopped, run]);
      } finally {
        ended.abort();
        if (worker.getState() === 'RUNNING') worker.shutdown();
        await Promise.allSettled([run, probing]);
      }
    } finally {
      await connection.close();
    }
  };

  const loop = async (): Promise<void> => {
    const backoff = createBackoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);
    while (!stopping.signal.aborted) {
      try {
        await work();
        backoff.reset();
      } catch (error) {
        if (status === 'connected' || backoff.fresh)
          log.warn(
            { err: error, address: connectTo.address },
            'Temporal cannot be reached; trying again in the background',
          );
      }
      become('unreachable');
      await waited(backoff.next(), stopping.signal);
    }
  };

  return {
    start() {
      looping ??= loop();
    },
    status: () => status,
    async stop() {
      stopping.abort();
      await looping;
    },
  };
}

/** false when the signal came first */
function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  return delay(ms, undefined, { signal }).then(
    () => true,
    () => false,
  );
}
