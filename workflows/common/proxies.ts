import { proxyActivities, type ActivityInterfaceFor, type ActivityOptions } from '@temporalio/workflow';
import type { Activities, ActivityGroups } from './activities.js';
import { QUEUES, replicaQueue } from './queues.js';
import { SUMMARIES, summaryOf } from './summaries.js';

type Call = ((input: never) => Promise<unknown>) & {
  executeWithOptions(options: ActivityOptions, args: readonly unknown[]): Promise<unknown>;
};

/** Activities whose calls say in Temporal's timeline what they do. That is no part of a command: a replay does not compare it. */
function describedActivities<A extends Partial<Activities>>(options: ActivityOptions): ActivityInterfaceFor<A> {
  const proxied = proxyActivities<A>(options);
  return new Proxy(proxied, {
    get(target, name) {
      const call = Reflect.get(target, name) as Call;
      const summary = SUMMARIES[name as keyof Activities] as (input: unknown) => string;
      return (...args: unknown[]) => call.executeWithOptions({ summary: summaryOf(summary(args[0])) }, args);
    },
  });
}

/** After so long without a heartbeat a worker counts as dead. It sends one every three seconds: `activities/heartbeat.ts`. */
const HEARTBEAT_TIMEOUT = '10s';

/** Calls of a second or two. A killed worker costs at most this timeout; a system that is down is asked again for hours, since a release should outlast it. */
export const shortCalls = describedActivities<ActivityGroups['shortCalls']>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '20s',
  scheduleToCloseTimeout: '6h',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

/** Somebody waits for the answer: tries bear the restart of a worker or a server, about half a minute; then they hear what is wrong. */
export const answered = describedActivities<ActivityGroups['answered']>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '20s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 8 },
});

/** Longer than any channel is waited for: nobody but the notification itself waits for this. */
export const delivery = describedActivities<ActivityGroups['delivery']>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '20s',
  scheduleToCloseTimeout: '8d',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** Bulk I/O: minutes long, so a heartbeat tells a dead worker from a busy one. */
export const bulkIo = describedActivities<ActivityGroups['bulkIo']>({
  taskQueue: QUEUES.data,
  startToCloseTimeout: '2h',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/**
 * The nightly jobs. Tries are few: a source that is down for longer than about half a minute is news, the live artifact still serves, and
 * the next night tries again, while a run that waits for hours would hold the other artifacts back. Five retries bear a restart of our own
 * servers and a worker that is killed twice (a missed heartbeat costs a try).
 */
export const refreshJobs = describedActivities<ActivityGroups['refreshJobs']>({
  taskQueue: QUEUES.data,
  startToCloseTimeout: '1h',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 6 },
});

/** Python at work: hours at most, heartbeats with progress, cancellation waits until the child has ended. */
export const training = describedActivities<ActivityGroups['training']>({
  taskQueue: QUEUES.training,
  startToCloseTimeout: '8h',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** Waiting for another run to close may take as long as that run does. */
export const waiting = describedActivities<ActivityGroups['waiting']>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '24h',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { maximumInterval: '10s' },
});

/**
 * One replica's own queue. Short: a replica that does not answer has died, and the lease list is asked again.
 */
export function replica(replicaId: string): ActivityGroups['replica'] {
  return describedActivities<ActivityGroups['replica']>({
    taskQueue: replicaQueue(replicaId),
    startToCloseTimeout: '60s',
    scheduleToStartTimeout: '10s',
    retry: { initialInterval: '500ms', maximumInterval: '2s', maximumAttempts: 3 },
  });
}

/** As `replica`; heartbeats tell one that is loading from one that took the order and fell silent. */
export function listeningReplica(replicaId: string): ActivityGroups['replica'] {
  return proxyActivities<ActivityGroups['replica']>({
    taskQueue: replicaQueue(replicaId),
    startToCloseTimeout: '60s',
    scheduleToStartTimeout: '10s',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '500ms', maximumInterval: '2s', maximumAttempts: 3 },
  });
}

/** For who cannot wait, in runs from before `PATCHES.everyNotificationHandedOver`: a channel that is down for longer does not learn of it. */
export const passingNotification = proxyActivities<ActivityGroups['passingNotification']>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '20s',
  scheduleToCloseTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
});

/** What can wait until the next time: a change is not held up for long by a registry that is down. */
export const settling = describedActivities<ActivityGroups['settling']>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '20s',
  retry: { initialInterval: '500ms', maximumInterval: '2s', maximumAttempts: 3 },
});

/** A wrong answer is final at once; a replica that is down is looked for again by the rollout, not here. */
export const smokeChecks = describedActivities<ActivityGroups['smokeChecks']>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '2s', maximumAttempts: 3 },
});

/** A person asks and looks at the answer: no second try behind their back. */
export const noRetry = describedActivities<ActivityGroups['noRetry']>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '1m',
  retry: { maximumAttempts: 1 },
});
