import type { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import type { temporal } from '@temporalio/proto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded } from '../../test/support/seeded.js';
import { releaseTiming, unionMs } from './timing.js';

type History = temporal.api.history.v1.IHistory;
/** in ticks since the release began */
interface Interval {
  from: number;
  to: number;
}
interface Run {
  endsAt: number;
  activities: (Interval & {
    queued: number;
    attempt: number;
    end: 'Completed' | 'Failed' | 'TimedOut' | 'Canceled' | 'never started';
  })[];
  timers: (Interval & { end: 'Fired' | 'Canceled' })[];
}

const TICK_MS = 250;
const BEGAN_MS = Date.parse('2025-06-30T12:00:00Z');

const within = (last: number): fc.Arbitrary<Interval> =>
  fc
    .tuple(fc.nat({ max: last }), fc.nat({ max: last }))
    .map(([a, b]) => ({ from: Math.min(a, b), to: Math.max(a, b) }));
const ending = <E extends string>(last: number, ...ends: E[]) =>
  fc.tuple(within(last), fc.constantFrom(...ends)).map(([interval, end]) => ({ ...interval, end }));
const run = (endsAt: number): fc.Arbitrary<Run> =>
  fc.record({
    endsAt: fc.constant(endsAt),
    activities: fc.array(
      fc
        .tuple(
          ending(endsAt, 'Completed', 'Failed', 'TimedOut', 'Canceled', 'never started'),
          fc.nat({ max: endsAt }),
          fc.constantFrom(0, 1, 3),
        )
        // one that never started was queued to its end
        .map(([one, before, attempt]) => ({ ...one, attempt, queued: Math.max(0, one.from - before) })),
      { maxLength: 6 },
    ),
    timers: fc.array(ending(endsAt, 'Fired', 'Canceled'), { maxLength: 3 }),
  });
/** A release and its rollouts, of which one may go on after it: `release show` also looks at what still runs. */
const release = fc
  .tuple(fc.nat({ max: 40 }), fc.nat({ max: 5 }))
  .chain(([endsAt, longer]) =>
    fc.record({ own: run(endsAt), rollouts: fc.array(run(endsAt + longer), { maxLength: 2 }) }),
  );

/** How many ticks there are of which this is so: slow, and plainly right. */
const ticks = (last: number, isSo: (tick: number) => boolean): number =>
  Array.from({ length: last }, (_, tick) => tick).filter(isSo).length;
const at =
  (tick: number) =>
  ({ from, to }: Interval): boolean =>
    from <= tick && tick < to;

/** The run as Temporal tells it. */
function historyOf({ endsAt, activities, timers }: Run, rollouts: number): History {
  const idOf = (id: string): number => ids.get(id) ?? 0;
  const planned: { tick: number; id?: string; event: (startedEventId: number) => object; of?: string }[] = [];
  planned.push({ tick: 0, event: () => ({ workflowExecutionStartedEventAttributes: {} }) });
  for (let index = 0; index < rollouts; index += 1) {
    const workflowExecution = { workflowId: 'rollout', runId: `${index}` };
    planned.push({ tick: 0, event: () => ({ childWorkflowExecutionStartedEventAttributes: { workflowExecution } }) });
  }
  activities.forEach(({ queued, from, to, end, attempt }, index) => {
    const [id, name] = [`activity ${index}`, end === 'never started' ? 'TimedOut' : end];
    const scheduling = `scheduling ${index}`;
    planned.push({ tick: queued, id: scheduling, event: () => ({ activityTaskScheduledEventAttributes: {} }) });
    if (end !== 'never started')
      planned.push({ tick: from, id, event: () => ({ activityTaskStartedEventAttributes: { attempt } }) });
    planned.push({
      tick: to,
      of: id,
      event: (startedEventId) => ({
        [`activityTask${name}EventAttributes`]: { startedEventId, scheduledEventId: idOf(scheduling) },
      }),
    });
  });
  timers.forEach(({ from, to, end }, index) => {
    const id = `timer ${index}`;
    planned.push({ tick: from, id, event: () => ({ timerStartedEventAttributes: {} }) });
    planned.push({
      tick: to,
      of: id,
      event: (startedEventId) => ({ [`timer${end}EventAttributes`]: { startedEventId } }),
    });
  });
  planned.push({ tick: endsAt, event: () => ({ workflowExecutionCompletedEventAttributes: {} }) });
  planned.sort((a, b) => a.tick - b.tick);
  const ids = new Map(planned.map(({ id }, index) => [id, index + 1]));
  return {
    events: planned.map(({ tick, of, event }, index) => ({
      eventId: index + 1,
      eventTime: msToTs(BEGAN_MS + tick * TICK_MS),
      ...event(of === undefined ? 0 : idOf(of)),
    })) as unknown as NonNullable<History['events']>,
  };
}

/** A Temporal that knows one release and its rollouts. */
function clientOf(own: Run, rollouts: readonly Run[], memo: Record<string, unknown> = {}): Client {
  const getHandle = (workflowId: string, runId?: string) => ({
    describe: () => Promise.resolve({ memo }),
    fetchHistory: () =>
      Promise.resolve(
        workflowId === 'release' ? historyOf(own, rollouts.length) : historyOf(rollouts[Number(runId)] as Run, 0),
      ),
  });
  return { workflow: { getHandle } } as unknown as Client;
}

describe('where the time of a release went', () => {
  it('is told once: work, waiting for people and the rest add up to the whole', async () => {
    await fc.assert(
      fc.asyncProperty(release, async ({ own, rollouts }) => {
        const timing = await releaseTiming(clientOf(own, rollouts), 'release', null);
        const worked = [own, ...rollouts].flatMap(({ activities }) =>
          activities.filter(({ end }) => end !== 'never started'),
        );
        const isWork = (tick: number): boolean => worked.some(at(tick));
        const queues = [own, ...rollouts].flatMap(({ activities }) =>
          activities.flatMap(({ queued, from, to, end, attempt }) => {
            if (end === 'never started') return [{ from: queued, to }];
            return attempt > 1 ? [] : [{ from: queued, to: from }];
          }),
        );
        const isOverhead = (tick: number): boolean => !isWork(tick) && !own.timers.some(at(tick));
        const seconds = (isSo: (tick: number) => boolean): number => (ticks(own.endsAt, isSo) * TICK_MS) / 1000;
        expect(timing).toEqual({
          totalSeconds: seconds(() => true),
          activitySeconds: seconds(isWork),
          approvalSeconds: seconds((tick) => !isWork(tick) && own.timers.some(at(tick))),
          orchestrationSeconds: seconds(isOverhead),
          queuedSeconds: seconds((tick) => isOverhead(tick) && queues.some(at(tick))),
          stackStartToLiveSeconds: null,
        });
      }),
      seeded(300),
    );
  }, 60_000);

  it('counts from the start of the stack to the live model only where one command began both', async () => {
    const own: Run = { endsAt: 4, activities: [], timers: [] };
    const started = { stackStartedAt: '2025-06-30T11:59:00Z' };
    const timing = (memo: Record<string, unknown>, liveAt: string | null) =>
      releaseTiming(clientOf(own, [], memo), 'release', liveAt);
    expect((await timing(started, '2025-06-30T12:00:02.500Z')).stackStartToLiveSeconds).toBe(62.5);
    expect((await timing(started, null)).stackStartToLiveSeconds).toBeNull();
    expect((await timing({}, '2025-06-30T12:00:02.500Z')).stackStartToLiveSeconds).toBeNull();
  });
});

describe('the length of a union of intervals', () => {
  it('counts what overlaps once, in whatever order it comes', () => {
    fc.assert(
      fc.property(fc.array(within(60), { maxLength: 12 }), (intervals) => {
        expect(unionMs(intervals)).toBe(ticks(60, (tick) => intervals.some(at(tick))));
      }),
      seeded(300),
    );
  }, 60_000);
});
