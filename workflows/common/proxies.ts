import { proxyActivities, type ActivityInterfaceFor, type ActivityOptions } from '@temporalio/workflow';
import type { ApprovalActivities } from '../../activities/approval/contract.js';
import type { BundleActivities, RecomposeActivities } from '../../activities/bundle/contract.js';
import type { RegistryActivities } from '../../activities/registry/contract.js';
import type { TrainingDataActivities } from '../../activities/training-data/contract.js';
import type {
  DeliveryActivities,
  NotificationTestActivities,
  NotifyActivities,
} from '../../activities/notification/contract.js';
import type { PointerActivities } from '../../activities/pointer/contract.js';
import type {
  LiveStateActivities,
  ReplicaActivities,
  RolloutActivities,
  ScorerActivities,
} from '../../activities/rollout/contract.js';
import type { ReportActivities } from '../../activities/report/contract.js';
import type { ModelSpecActivities } from '../../activities/model-spec/contract.js';
import type {
  ApplySchedulesActivities,
  AwaitRunActivities,
  ScheduleActivities,
  WaitActivities,
} from '../../activities/runs/contract.js';
import type { TransactionActivities } from '../../activities/transactions/contract.js';
import type { TrainerActivities } from '../../activities/trainer/contract.js';
import type { DriftActivities, RetrainingActivities } from '../../activities/drift/contract.js';
import type { PinActivities, PruneActivities } from '../../activities/retention/contract.js';
import type { RefreshActivities } from '../../activities/refresh/contract.js';
import type { RecalibrationActivities } from '../../activities/recalibration/contract.js';
import type { LabelActivities } from '../../activities/labels/contract.js';
import type { ExpertFileActivities } from '../../activities/lookups/contract.js';
import type { Activities } from './activities.js';
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
export const shortCalls = describedActivities<
  ModelSpecActivities &
    RegistryActivities &
    PointerActivities &
    ScorerActivities &
    ApprovalActivities &
    ReportActivities &
    RolloutActivities &
    NotifyActivities &
    ScheduleActivities &
    RetrainingActivities
>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '20s',
  scheduleToCloseTimeout: '6h',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '30s' },
});

/** Somebody waits for the answer: tries bear the restart of a worker or a server, about half a minute; then they hear what is wrong. */
export const answered = describedActivities<
  ExpertFileActivities & LabelActivities & PinActivities & ApplySchedulesActivities & TransactionActivities
>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '20s',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '10s', maximumAttempts: 8 },
});

/** Longer than any channel is waited for: nobody but the notification itself waits for this. */
export const delivery = describedActivities<DeliveryActivities>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '20s',
  scheduleToCloseTimeout: '8d',
  retry: { initialInterval: '500ms', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** Bulk I/O: minutes long, so a heartbeat tells a dead worker from a busy one. */
export const bulkIo = describedActivities<
  TrainingDataActivities &
    BundleActivities &
    RecomposeActivities &
    PruneActivities &
    DriftActivities &
    RecalibrationActivities
>({
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
export const refreshJobs = describedActivities<RefreshActivities>({
  taskQueue: QUEUES.data,
  startToCloseTimeout: '1h',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '30s', maximumAttempts: 6 },
});

/** Python at work: hours at most, heartbeats with progress, cancellation waits until the child has ended. */
export const training = describedActivities<TrainerActivities>({
  taskQueue: QUEUES.training,
  startToCloseTimeout: '8h',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  cancellationType: 'WAIT_CANCELLATION_COMPLETED',
  retry: { initialInterval: '1s', backoffCoefficient: 2, maximumInterval: '1m' },
});

/** Waiting for another run to close may take as long as that run does. */
export const waiting = describedActivities<WaitActivities & AwaitRunActivities>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '24h',
  heartbeatTimeout: HEARTBEAT_TIMEOUT,
  retry: { maximumInterval: '10s' },
});

/**
 * One replica's own queue. Short: a replica that does not answer has died, and the lease list is asked again.
 */
export function replica(replicaId: string): ReplicaActivities {
  return describedActivities<ReplicaActivities>({
    taskQueue: replicaQueue(replicaId),
    startToCloseTimeout: '60s',
    scheduleToStartTimeout: '10s',
    retry: { initialInterval: '500ms', maximumInterval: '2s', maximumAttempts: 3 },
  });
}

/** As `replica`; heartbeats tell one that is loading from one that took the order and fell silent. */
export function listeningReplica(replicaId: string): ReplicaActivities {
  return proxyActivities<ReplicaActivities>({
    taskQueue: replicaQueue(replicaId),
    startToCloseTimeout: '60s',
    scheduleToStartTimeout: '10s',
    heartbeatTimeout: '10s',
    retry: { initialInterval: '500ms', maximumInterval: '2s', maximumAttempts: 3 },
  });
}

/** For who cannot wait: a channel that is down for longer does not learn of it, the file and the log do. */
export const passingNotice = proxyActivities<NotifyActivities>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '20s',
  scheduleToCloseTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '10s' },
});

/** What can wait until the next time: a change is not held up for long by a registry that is down. */
export const settling = describedActivities<LiveStateActivities & RegistryActivities>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '20s',
  retry: { initialInterval: '500ms', maximumInterval: '2s', maximumAttempts: 3 },
});

/** A wrong answer is final at once; a replica that is down is looked for again by the rollout, not here. */
export const smokeChecks = describedActivities<ScorerActivities>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '30s',
  retry: { initialInterval: '500ms', maximumInterval: '2s', maximumAttempts: 3 },
});

/** A person asks and looks at the answer: no second try behind their back. */
export const noRetry = describedActivities<NotificationTestActivities>({
  taskQueue: QUEUES.release,
  startToCloseTimeout: '30s',
  scheduleToCloseTimeout: '1m',
  retry: { maximumAttempts: 1 },
});
