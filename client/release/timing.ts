import type { Client } from '@temporalio/client';
import type { temporal } from '@temporalio/proto';
import { WORKFLOW as NOTIFICATION } from '../../workflows/sendNotification/contract.js';

type History = temporal.api.history.v1.IHistory;
type Timestamp = { seconds?: unknown; nanos?: number | null } | null | undefined;

export interface ReleaseTiming {
  totalSeconds: number;
  /** time in which at least one activity of the release or its rollout was at work */
  activitySeconds: number;
  /** time spent waiting for a person */
  approvalSeconds: number;
  /** from the stack's start to the end of the smoke, where `npm start` began both; else null */
  stackStartToLiveSeconds: number | null;
  /** everything else: what Sluice and Temporal themselves cost, and time in which all workers were busy */
  orchestrationSeconds: number;
  /** of the orchestration: time in which an activity waited for a free worker for its first attempt */
  queuedSeconds: number;
}

const ms = (at: Timestamp): number => Number(at?.seconds ?? 0) * 1000 + (at?.nanos ?? 0) / 1e6;

interface Interval {
  from: number;
  to: number;
}

/** Activity intervals, those before their first attempts, child runs and the approval's span of one history. */
function read(history: History): {
  span: Interval;
  activities: Interval[];
  queues: Interval[];
  children: { workflowId: string; runId: string }[];
  timers: Interval[];
} {
  const events = history.events ?? [];
  const scheduled = new Map<string, number>();
  const started = new Map<string, { at: number; attempt: number }>();
  const timersStarted = new Map<string, number>();
  const activities: Interval[] = [];
  const queues: Interval[] = [];
  const timers: Interval[] = [];
  const children: { workflowId: string; runId: string }[] = [];
  for (const event of events) {
    const at = ms(event.eventTime);
    if (event.activityTaskScheduledEventAttributes) scheduled.set(String(event.eventId), at);
    const start = event.activityTaskStartedEventAttributes;
    if (start) started.set(String(event.eventId), { at, attempt: start.attempt ?? 1 });
    const closed =
      event.activityTaskCompletedEventAttributes ??
      event.activityTaskFailedEventAttributes ??
      event.activityTaskTimedOutEventAttributes ??
      event.activityTaskCanceledEventAttributes;
    if (closed) {
      const begun = started.get(String(closed.startedEventId)) ?? { at, attempt: 1 };
      activities.push({ from: begun.at, to: at });
      // Of a later attempt nobody knows how much of the time before it the earlier ones took.
      if (begun.attempt <= 1)
        queues.push({ from: scheduled.get(String(closed.scheduledEventId)) ?? begun.at, to: begun.at });
    }
    const { workflowExecution: child, workflowType } = event.childWorkflowExecutionStartedEventAttributes ?? {};
    // Nobody waits for a notification that is on its way.
    if (workflowType?.name === NOTIFICATION) continue;
    if (child?.workflowId && child.runId) children.push({ workflowId: child.workflowId, runId: child.runId });
    if (event.timerStartedEventAttributes) timersStarted.set(String(event.eventId), at);
    const timer = event.timerFiredEventAttributes ?? event.timerCanceledEventAttributes;
    if (timer) timers.push({ from: timersStarted.get(String(timer.startedEventId)) ?? at, to: at });
  }
  const span = { from: ms(events[0]?.eventTime), to: ms(events.at(-1)?.eventTime) };
  return { span, activities, queues, children, timers };
}

/** Length of the union of intervals, in ms: what ran side by side counts once. */
export function unionMs(intervals: readonly Interval[]): number {
  let total = 0;
  let end = -Infinity;
  for (const { from, to } of [...intervals].sort((a, b) => a.from - b.from)) {
    if (to > end) total += to - Math.max(from, end);
    end = Math.max(end, to);
  }
  return total;
}

/** Of a rollout's work, what falls into the release's own time: one that still runs goes on after the last event of the release. */
function within(span: Interval, intervals: readonly Interval[]): Interval[] {
  return intervals
    .map(({ from, to }) => ({ from: Math.max(from, span.from), to: Math.min(to, span.to) }))
    .filter(({ from, to }) => from < to);
}

/** Where a release's time went, read from its history and its rollouts'. The release's own timers wait for people only. */
export async function releaseTiming(client: Client, workflowId: string, liveAt: string | null): Promise<ReleaseTiming> {
  const handle = client.workflow.getHandle(workflowId);
  const { memo } = await handle.describe();
  const stackStartedAt = memo?.['stackStartedAt'];
  const own = read(await handle.fetchHistory());
  const children = await Promise.all(
    own.children.map(async ({ workflowId: id, runId }) =>
      read(await client.workflow.getHandle(id, runId).fetchHistory()),
    ),
  );
  const activities = within(
    own.span,
    [own, ...children].flatMap((one) => one.activities),
  );
  const queues = within(
    own.span,
    [own, ...children].flatMap((one) => one.queues),
  );
  const total = own.span.to - own.span.from;
  const busy = unionMs(activities);
  const waited = unionMs([...activities, ...own.timers]) - busy;
  const queued = unionMs([...activities, ...own.timers, ...queues]) - busy - waited;
  return {
    totalSeconds: total / 1000,
    activitySeconds: busy / 1000,
    approvalSeconds: waited / 1000,
    stackStartToLiveSeconds:
      typeof stackStartedAt === 'string' && liveAt !== null
        ? (Date.parse(liveAt) - Date.parse(stackStartedAt)) / 1000
        : null,
    orchestrationSeconds: (total - busy - waited) / 1000,
    queuedSeconds: queued / 1000,
  };
}
