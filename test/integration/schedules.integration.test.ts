import type { Client, ScheduleHandle } from '@temporalio/client';
import { bundleWorkflowCode } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ApprovalActivities } from '../../activities/approval/contract.js';
import type { NotifyActivities } from '../../activities/notification/contract.js';
import type { DeliveryActivities, NotificationTestActivities } from '../../activities/notification/contract.js';
import type { PruneActivities } from '../../activities/retention/contract.js';
import { createScheduleActivities } from '../../activities/runs/schedules.js';
import { projectPath } from '../../platform/project.js';
import type { ScheduleChange } from '../../domain/schedules/change.js';
import { applySchedules } from '../../schedules/apply.js';
import { scheduleId } from '../../schedules/desired.js';
import { listSchedules } from '../../schedules/inspect.js';
import { backfillSchedule, pauseSchedule, resumeSchedule, runSchedule, timesBetween } from '../../schedules/operate.js';
import { REGISTRY, type ScheduleEntry } from '../../schedules/registry.js';
import { scheduleMark } from '../../domain/schedules/mark.js';
import type { LaunchResult } from '../../workflows/launchScheduled/contract.js';
import {
  pruneOperation,
  pruneWorkflowId,
  type PruneInput,
  type PruneProgress,
} from '../../workflows/pruneArtifacts/contract.js';
import { QUEUES } from '../../workflows/common/queues.js';
import { testNotificationWorkflowId } from '../../workflows/testNotification/contract.js';
import { freeze } from '../support/freeze.js';
import { useServers } from '../support/shared-servers.js';
import { connectTemporal, runWorkers } from '../support/temporal.js';

// The registry against a real Temporal server, and the launcher with small workflows in place of the jobs.
let client: Client;
let close: () => Promise<void>;
const notices: Parameters<NotifyActivities['notify']>[0][] = [];
const pruned: Parameters<PruneActivities['pruneArtifacts']>[0][] = [];
const fakes: NotifyActivities &
  DeliveryActivities &
  NotificationTestActivities &
  PruneActivities &
  Pick<ApprovalActivities, 'authorizeOperation'> = {
  notify: () => Promise.reject(new Error('a launcher waits for no channel')),
  deliverNotification: (notice) => Promise.resolve(void notices.push(notice)),
  testChannels: () => Promise.resolve([{ sink: 'slack', ok: false, why: 'HTTP 404' }]),
  pruneArtifacts: (input) => {
    pruned.push(input);
    return Promise.resolve({ model: input.model, deleted: [], spared: [], kept: 3 });
  },
  authorizeOperation: ({ actor, operation }) =>
    Promise.resolve({ allowed: actor !== 'mallory', why: `${actor} may not ${operation}` }),
};

beforeAll(async () => {
  const [{ env }, workflowBundle] = await Promise.all([
    useServers(['temporal']),
    bundleWorkflowCode({ workflowsPath: projectPath('test', 'support', 'scheduled-workflows.ts') }),
  ]);
  const temporal = await connectTemporal(env);
  ({ client } = temporal);
  const workers = await Promise.all(
    [QUEUES.release, QUEUES.data].map((taskQueue) =>
      temporal.createWorker({
        taskQueue,
        workflowBundle,
        activities: { ...createScheduleActivities({ client }), ...fakes },
      }),
    ),
  );
  const running = runWorkers(workers);
  close = async () => {
    await running.close();
    await temporal.close();
  };
});
afterAll(() => close?.());

const apply = (model: string, more: { registry?: readonly ScheduleEntry[]; dryRun?: boolean; offset?: number } = {}) =>
  applySchedules(client.schedule, {
    registry: more.registry ?? REGISTRY,
    models: [model],
    asOfOffsetDays: more.offset ?? null,
    dryRun: more.dryRun ?? false,
  });
const counts = (changes: ScheduleChange[]) =>
  Object.fromEntries(
    ['create', 'update', 'delete', 'none'].map((kind) => [
      kind,
      changes.filter(({ change }) => change === kind).length,
    ]),
  );
/** Every launcher's end, oldest scheduled time first. */
async function ends(
  model: string,
  name: string,
): Promise<{ id: string; startedAt: Date; closedAt: Date | undefined; result: LaunchResult }[]> {
  const found = [];
  for await (const info of client.workflow.list({
    query: `WorkflowType = 'launchScheduled' AND SluiceModel = '${model}'`,
  })) {
    if (!info.workflowId.startsWith(`launch/${model}/${name}-`) || info.status.name !== 'COMPLETED') continue;
    const result = (await client.workflow.getHandle(info.workflowId, info.runId).result()) as LaunchResult;
    found.push({ id: info.workflowId, startedAt: info.startTime, closedAt: info.closeTime, result });
  }
  return found.sort((a, b) => a.startedAt.getTime() - b.startedAt.getTime());
}

const freezeLauncher = async (how: string, workflowId: string | undefined) =>
  freeze(how, client.workflow.getHandle(workflowId ?? expect.fail(`no launcher ${how}`)));

describe('apply', () => {
  it('creates, then changes nothing; a dry run never does', async () => {
    expect(counts(await apply('first', { dryRun: true }))).toEqual({
      create: REGISTRY.length,
      update: 0,
      delete: 0,
      none: 0,
    });
    expect(counts(await apply('first'))).toEqual({ create: REGISTRY.length, update: 0, delete: 0, none: 0 });
    expect(counts(await apply('first'))).toEqual({ create: 0, update: 0, delete: 0, none: REGISTRY.length });
    const paused = (
      await vi.waitUntil(async () => {
        const found = await listSchedules(client, 'first');
        return found.length === REGISTRY.length ? found : null;
      }, 10_000)
    ).filter((one) => one.paused);
    expect(paused.map(({ name }) => name)).toEqual(['prune-weekly', 'retraining-weekly']);
  });

  it('mends what was changed by hand, and leaves an operator’s pause and note as they are', async () => {
    await apply('mended');
    await pauseSchedule(client, 'mended', 'drift-daily', 'the source is down (ada)');
    await resumeSchedule(client, 'mended', 'retraining-weekly', 'we want it (ada)');
    const handle = client.schedule.getHandle(scheduleId('mended', 'drift-daily'));
    await handle.update((previous) => ({
      ...previous,
      policies: { ...previous.policies, overlap: 'ALLOW_ALL' },
      spec: { ...previous.spec, timezone: 'Asia/Tokyo' },
    }));
    const changes = await apply('mended', { offset: -509 });
    expect(changes.find(({ name }) => name === 'drift-daily')?.differences).toEqual([
      { field: 'time zone', from: 'Asia/Tokyo', to: 'UTC' },
      { field: 'overlap', from: '"ALLOW_ALL"', to: '"BUFFER_ALL"' },
      {
        field: 'input',
        from: expect.stringContaining('"asOfOffsetDays":0'),
        to: expect.stringContaining('"asOfOffsetDays":-509'),
      },
    ]);
    expect(counts(changes)).toMatchObject({ update: REGISTRY.length });
    expect((await handle.describe()).state).toMatchObject({ paused: true, note: 'the source is down (ada)' });
    expect((await client.schedule.getHandle(scheduleId('mended', 'retraining-weekly')).describe()).state).toMatchObject(
      { paused: false, note: 'we want it (ada)' },
    );
    expect(counts(await apply('mended'))).toMatchObject({ none: REGISTRY.length });
  });

  it('deletes ours that left the registry, and touches nothing of anybody else', async () => {
    await apply('shrunk');
    const action = { type: 'startWorkflow', workflowType: 'launchScheduled', taskQueue: 'nowhere' } as const;
    const spec = { calendars: [{ year: 2099 }] };
    const foreign: ScheduleHandle = await client.schedule.create({ scheduleId: 'sluice/shrunk/theirs', spec, action });
    const before = await foreign.describe();
    const [gone, ...rest] = REGISTRY as [ScheduleEntry, ...ScheduleEntry[]];
    await vi.waitUntil(async () => (await listSchedules(client, 'shrunk')).length === REGISTRY.length, 10_000);
    const changes = await apply('shrunk', { registry: rest });
    expect(
      changes.filter(({ change, model }) => change === 'delete' && model === 'shrunk').map(({ name }) => name),
    ).toEqual([gone.name]);
    await expect(client.schedule.getHandle(scheduleId('shrunk', gone.name)).describe()).rejects.toThrow();
    expect((await foreign.describe()).info.lastUpdatedAt).toEqual(before.info.lastUpdatedAt);

    await client.schedule.create({ scheduleId: scheduleId('taken', 'fx-daily'), spec, action });
    await expect(apply('taken')).rejects.toThrow(/sluice\/taken\/fx-daily exists and was not made by Sluice/);
    await expect(client.schedule.getHandle(scheduleId('taken', 'nightly-refresh')).describe()).rejects.toThrow();
  });
});

describe('times', () => {
  it('17:00 in Frankfurt is 16:00 UTC in winter and 15:00 in summer, once a day when the clocks change', async () => {
    await apply('clocks');
    const due = async (from: string, to: string) =>
      (await timesBetween(client, scheduleId('clocks', 'fx-daily'), new Date(from), new Date(to))).map((time) =>
        time.toISOString().slice(0, 13),
      );
    expect(await due('2026-03-27', '2026-03-31')).toEqual([
      '2026-03-27T16',
      '2026-03-28T16',
      '2026-03-29T15',
      '2026-03-30T15',
    ]);
    expect(await due('2026-10-23', '2026-10-27')).toEqual([
      '2026-10-23T15',
      '2026-10-24T15',
      '2026-10-25T16',
      '2026-10-26T16',
    ]);
    expect(
      (
        await timesBetween(
          client,
          scheduleId('clocks', 'thresholds-weekly'),
          new Date('2026-03-01'),
          new Date('2026-04-01'),
        )
      ).map((time) => time.getUTCDay()),
    ).toEqual([1, 1, 1, 1, 1]);
  });
});

describe('launcher', () => {
  it('makes up for a missed week in order, each run as of its day, also while paused; again, all are found', async () => {
    await apply('week', { offset: -1 });
    await pauseSchedule(client, 'week', 'nightly-refresh', 'a drill');
    const days = ['22', '23', '24', '25', '26', '27', '28'].map((day) => `2025-06-${day}`);
    const range = { from: new Date('2025-06-23'), to: new Date('2025-06-29') };
    const { due } = await backfillSchedule(client, 'week', 'nightly-refresh', range, new Date());
    expect(due).toHaveLength(7);
    const first = await vi.waitUntil(
      async () => {
        const found = await ends('week', 'nightly-refresh');
        return found.length === 7 ? found : null;
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(first.map(({ result }) => result)).toEqual(
      days.map((day) => ({
        workflowId: `refresh/week/${day}`,
        asOf: `${day}T00:00:00.000Z`,
        found: false,
        outcome: 'completed',
      })),
    );
    for (const [index, { startedAt }] of first.entries())
      if (index > 0)
        expect(startedAt.getTime()).toBeGreaterThanOrEqual(first[index - 1]?.closedAt?.getTime() ?? Infinity);

    await backfillSchedule(client, 'week', 'nightly-refresh', { from: range.from, to: range.from }, new Date());
    const again = await vi.waitUntil(
      async () => {
        const found = await ends('week', 'nightly-refresh');
        return found.length === 8 ? found[7] : null;
      },
      { timeout: 30_000, interval: 200 },
    );
    await freezeLauncher('completed', first[0]?.id);
    await freezeLauncher('found', again?.id);
    expect(again?.result).toEqual({
      workflowId: 'refresh/week/2025-06-22',
      asOf: '2025-06-22T00:00:00.000Z',
      found: true,
      outcome: 'completed',
    });
  });

  it('keeps the time of a fixing, and started by hand means now', async () => {
    await apply('hand');
    await backfillSchedule(
      client,
      'hand',
      'fx-daily',
      { from: new Date('2025-06-30'), to: new Date('2025-06-30') },
      new Date(),
    );
    const [fx] = await vi.waitUntil(async () => {
      const found = await ends('hand', 'fx-daily');
      return found.length > 0 ? found : null;
    }, 30_000);
    expect(fx?.result).toMatchObject({
      workflowId: 'refresh/hand/2025-06-30T1500Z/fxRates',
      asOf: '2025-06-30T15:00:00.000Z',
    });

    const launcher = await runSchedule(client, 'hand', 'retraining-weekly');
    const { workflowId, runId } = launcher ?? expect.fail('it should run at once');
    const result = (await client.workflow.getHandle(workflowId, runId).result()) as LaunchResult;
    const today = new Date().toISOString().slice(0, 10);
    expect(result.workflowId).toBe(`release/hand/scheduled-${today}`);
  });

  it('does not hold the next night up while a run waits for a person', async () => {
    await apply('asks');
    await backfillSchedule(
      client,
      'asks',
      'nightly-refresh',
      { from: new Date('2025-03-02'), to: new Date('2025-03-02') },
      new Date(),
    );
    const [waiting] = await vi.waitUntil(async () => {
      const found = await ends('asks', 'nightly-refresh');
      return found.length > 0 ? found : null;
    }, 30_000);
    expect(waiting?.result.outcome).toBe('waiting-for-approval');
    await freezeLauncher('waiting', waiting?.id);
    const child = client.workflow.getHandle('refresh/asks/2025-03-02');
    expect((await child.describe()).status.name).toBe('RUNNING');
    await child.signal('release');
    expect(await child.result()).toBe('2025-03-02T00:00:00.000Z');
  });

  it('a failure stops the schedule where it should and says so; the failed day can be run again', async () => {
    await apply('fails');
    const day = { from: new Date('2025-03-01'), to: new Date('2025-03-01') };
    const sunday = { from: new Date('2025-02-23'), to: new Date('2025-03-01') };
    await resumeSchedule(client, 'fails', 'retraining-weekly', 'a drill');
    await apply('fails', { offset: 6 });
    await backfillSchedule(client, 'fails', 'retraining-weekly', sunday, new Date());
    const paused = await vi.waitUntil(
      async () => {
        const found = (await listSchedules(client, 'fails')).find(({ name }) => name === 'retraining-weekly');
        return found?.paused === true ? found : null;
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(paused.lastRun).toMatchObject({
      status: 'FAILED',
      why: expect.stringContaining('release/fails/scheduled-2025-03-01 failed: no rows in the window'),
    });
    const notice = await vi.waitUntil(() => notices.find(({ title }) => title.startsWith('fails:')), 15_000);
    expect(notice).toMatchObject({
      severity: 'critical',
      workflowId: 'release/fails/scheduled-2025-03-01',
      whatToDo: expect.stringContaining('sluice schedules resume retraining-weekly'),
    });

    await freezeLauncher('paused', paused.lastRun?.workflowId);
    await freezeLauncher('paused-telling', paused.lastRun?.workflowId);
    await apply('fails', { offset: 0 });
    const failedRuns = async () => (await listSchedules(client, 'fails')).find(({ name }) => name === 'drift-daily');
    for (const runs of [1, 2]) {
      await backfillSchedule(client, 'fails', 'drift-daily', day, new Date());
      await vi.waitUntil(
        async () => {
          const state = await failedRuns();
          return state?.runs === runs && state.lastRun?.status === 'FAILED';
        },
        { timeout: 30_000, interval: 200 },
      );
    }
    expect((await failedRuns())?.paused).toBe(false);
    const told = () => notices.find(({ title }) => title === 'fails: a run of schedule drift-daily failed');
    expect(await vi.waitUntil(told, 15_000)).toMatchObject({
      severity: 'warning',
      key: 'drift/fails/2025-03-01/failed',
      text: 'drift/fails/2025-03-01 failed: no rows in the window. The schedule goes on.',
    });
    const attempts = [];
    for await (const { runId } of client.workflow.list({ query: `WorkflowId = 'drift/fails/2025-03-01'` }))
      attempts.push(runId);
    expect(attempts).toHaveLength(2);
  });

  it.each([
    ['2025-04-06', 'GateFailed', 'checks-failed'],
    ['2025-04-13', 'DataCheckFailed', 'checks-failed'],
    ['2025-04-20', 'NoData', 'no-data'],
    ['2025-04-27', 'Conflict', 'overtaken'],
    ['2025-05-04', 'Superseded', 'overtaken'],
  ])('a release that ends on %s with %s is an outcome, %s: its schedule goes on', async (day, type, outcome) => {
    const model = `ends-${type.toLowerCase()}`;
    await apply(model);
    await resumeSchedule(client, model, 'retraining-weekly', 'a drill');
    const sunday = { from: new Date(day), to: new Date(day) };
    await backfillSchedule(client, model, 'retraining-weekly', sunday, new Date());
    const [launched] = await vi.waitUntil(
      async () => {
        const found = await ends(model, 'retraining-weekly');
        return found.length > 0 ? found : null;
      },
      { timeout: 30_000, interval: 200 },
    );
    const workflowId = `release/${model}/scheduled-${day}`;
    expect(launched?.result).toMatchObject({ workflowId, outcome, why: `failed: it ends with ${type}` });
    const state = (await listSchedules(client, model)).find(({ name }) => name === 'retraining-weekly');
    expect(state).toMatchObject({
      paused: false,
      lastRun: { status: 'COMPLETED', why: `failed: it ends with ${type}` },
    });
    // Under the key by which the release itself tells it: whoever is first is heard, once.
    const notice = () => notices.filter(({ title }) => title.startsWith(`${model}:`));
    await vi.waitFor(() => expect(notice()).toHaveLength(1), 15_000);
    expect(notice()[0]).toMatchObject({ severity: 'warning', key: `${workflowId}/failed` });
    if (type !== 'DataCheckFailed' && type !== 'Superseded') await freezeLauncher(outcome, launched?.id);
  });

  it('a run that somebody cancelled is an outcome, and told to nobody', async () => {
    await apply('stops');
    const monday = { from: new Date('2025-03-03'), to: new Date('2025-03-03') };
    await backfillSchedule(client, 'stops', 'thresholds-weekly', monday, new Date());
    const run = client.workflow.getHandle('thresholds/stops/2025-03-03');
    await vi.waitFor(() => run.describe(), 15_000);
    await run.cancel();
    const [launched] = await vi.waitUntil(
      async () => {
        const found = await ends('stops', 'thresholds-weekly');
        return found.length > 0 ? found : null;
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(launched?.result).toMatchObject({ outcome: 'cancelled' });
    expect((await listSchedules(client, 'stops')).find(({ name }) => name === 'thresholds-weekly')?.paused).toBe(false);
    expect(notices.filter(({ title }) => title.startsWith('stops:'))).toEqual([]);
    await freezeLauncher('cancelled', launched?.id);
  });

  it('runs its own where somebody else’s run of the day was under way and failed', async () => {
    await apply('theirs');
    const theirs = await client.workflow.start('recalibrateThresholds', {
      taskQueue: QUEUES.release,
      workflowId: 'thresholds/theirs/2025-05-05',
      args: [{ model: 'theirs', asOf: '2025-05-05T00:00:00.000Z' }],
    });
    const monday = { from: new Date('2025-05-05'), to: new Date('2025-05-05') };
    await backfillSchedule(client, 'theirs', 'thresholds-weekly', monday, new Date());
    await vi.waitUntil(
      async () => {
        const thresholds = (await listSchedules(client, 'theirs')).find(({ name }) => name === 'thresholds-weekly');
        const [launcher] = thresholds?.running ?? [];
        if (launcher === undefined) return false;
        const { events } = await client.workflow.getHandle(launcher).fetchHistory();
        return events?.some((event) => event.startChildWorkflowExecutionFailedEventAttributes) === true;
      },
      { timeout: 30_000, interval: 200 },
    );
    await theirs.signal('refuse');
    const [launched] = await vi.waitUntil(
      async () => {
        const found = await ends('theirs', 'thresholds-weekly');
        return found.length > 0 ? found : null;
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(launched?.result).toMatchObject({ outcome: 'completed', found: false });
    expect((await listSchedules(client, 'theirs')).find(({ name }) => name === 'thresholds-weekly')?.paused).toBe(
      false,
    );
    await freezeLauncher('theirs-failed', launched?.id);
  });

  it('a day on which nothing was live is run again when its schedule comes to it again', async () => {
    await apply('unborn');
    const day = { from: new Date('2025-06-01'), to: new Date('2025-06-01') };
    for (const runs of [1, 2]) {
      await backfillSchedule(client, 'unborn', 'nightly-refresh', day, new Date());
      const found = await vi.waitUntil(
        async () => {
          const all = await ends('unborn', 'nightly-refresh');
          return all.length === runs ? all : null;
        },
        { timeout: 30_000, interval: 200 },
      );
      expect(found.map(({ result }) => result)).toEqual(
        Array.from({ length: runs }, () => expect.objectContaining({ found: false, status: 'NothingLive' }) as unknown),
      );
      if (runs === 2) await freezeLauncher('run-again', found[1]?.id);
    }
  });

  it('tells once of what a schedule dropped in silence, whichever launcher comes next', async () => {
    await apply('drops');
    const handle = client.schedule.getHandle(scheduleId('drops', 'thresholds-weekly'));
    const hanging = { from: new Date('2025-03-03'), to: new Date('2025-03-03') };
    await backfillSchedule(client, 'drops', 'thresholds-weekly', hanging, new Date());
    await vi.waitUntil(async () => (await handle.describe()).info.runningActions.length === 1, 15_000);
    await handle.trigger('SKIP');
    await vi.waitUntil(async () => (await handle.describe()).info.numActionsSkippedOverlap === 1, 15_000);
    const of = () => notices.filter(({ title }) => title === 'drops: schedule thresholds-weekly missed runs');
    for (const day of ['2025-06-01', '2025-06-02']) {
      const range = { from: new Date(day), to: new Date(day) };
      await backfillSchedule(client, 'drops', 'nightly-refresh', range, new Date());
      await vi.waitUntil(
        async () => (await ends('drops', 'nightly-refresh')).some(({ result }) => result.asOf.startsWith(day)),
        { timeout: 30_000, interval: 200 },
      );
    }
    await freezeLauncher('losses', (await ends('drops', 'nightly-refresh'))[0]?.id);
    await freezeLauncher('losses-telling', (await ends('drops', 'nightly-refresh'))[0]?.id);
    expect(new Set(of().map(({ key }) => key)).size).toBe(1);
    expect(of()[0]?.text).toContain('1 skipped');
    await client.workflow.getHandle('thresholds/drops/2025-03-03').signal('release');
  });

  it('refuses what no schedule started, and a range that was never due', async () => {
    await apply('bad');
    const args = [{ model: 'bad', schedule: 'x', job: 'drift', asOfOffsetDays: 0, pausesOnFailure: false }];
    const byHand = await client.workflow.start('launchScheduled', {
      taskQueue: QUEUES.release,
      workflowId: 'launch/bad/by-hand',
      args,
    });
    await expect(byHand.result()).rejects.toMatchObject({
      cause: { message: expect.stringContaining('sluice schedules run') },
    });
    await freeze('by-hand', byHand);
    const tuesday = { from: new Date('2025-06-03'), to: new Date('2025-06-03') };
    await expect(backfillSchedule(client, 'bad', 'thresholds-weekly', tuesday, new Date())).rejects.toThrow(
      /was not due/,
    );
    await expect(
      backfillSchedule(
        client,
        'bad',
        'nightly-refresh',
        { from: new Date('2999-01-01'), to: new Date('2999-01-02') },
        new Date(),
      ),
    ).rejects.toThrow(/future/);
    await expect(pauseSchedule(client, 'bad', 'nope', 'x')).rejects.toThrow(/no schedule nope of bad/);
  });
});

describe('the mark', () => {
  it('is what makes a schedule ours', async () => {
    await client.schedule.create({
      scheduleId: 'elsewhere',
      spec: { calendars: [{ year: 2099 }] },
      action: { type: 'startWorkflow', workflowType: 'x', taskQueue: 'x' },
      memo: { ...scheduleMark('marked', 'old-name') },
    });
    await vi.waitUntil(async () => (await listSchedules(client, 'marked')).length === 1, 10_000);
    expect(await apply('marked', { registry: [] })).toContainEqual(
      expect.objectContaining({ change: 'delete', scheduleId: 'elsewhere' }),
    );
  });
});

describe('pruneArtifacts', () => {
  const start = (actor: string, more: Partial<PruneInput> = {}) =>
    client.workflow.start('pruneArtifacts', {
      taskQueue: QUEUES.release,
      workflowId: pruneWorkflowId('tidy', `${actor}-${Object.keys(more).length}`),
      args: [{ model: 'tidy', caller: { actor, reason: 'disk' }, ...more } satisfies PruneInput],
    });

  it('by hand wants an operator who names the operation', async () => {
    const operationId = 'op-1';
    const handle = await start('ada', { operationId, keep: 5 });
    expect((await handle.result()) as PruneProgress).toMatchObject({
      result: { kept: 3 },
      steps: [{ status: 'done' }, { status: 'done' }],
    });
    expect(pruned).toContainEqual({ model: 'tidy', keep: 5, now: expect.any(String) });
    await freeze('by-hand', handle);
    await freeze('by-hand-holding', handle);
    const refused = await start('mallory', { operationId });
    const asked = pruneOperation({ model: 'tidy' });
    await expect(refused.result()).rejects.toMatchObject({
      cause: { type: 'NotAuthorised', message: `mallory may not ${asked}` },
    });
    await freeze('refused', refused);
    await expect((await start('eve')).result()).rejects.toMatchObject({ cause: { type: 'InvalidInput' } });
    expect(pruned).toHaveLength(1);
  });

  it('by its schedule asks nobody, and keeps what the worker is set to keep', async () => {
    await apply('tidy');
    await runSchedule(client, 'tidy', 'prune-weekly');
    const [launched] = await vi.waitUntil(
      async () => {
        const found = await ends('tidy', 'prune-weekly');
        return found.length > 0 ? found : null;
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(pruned.at(-1)).toEqual({ model: 'tidy', now: expect.any(String) });
    await freeze('scheduled', client.workflow.getHandle(launched?.result.workflowId ?? ''));
  });
});

describe('testNotification', () => {
  it('answers with how each channel took it', async () => {
    const handle = await client.workflow.start('testNotification', {
      taskQueue: QUEUES.release,
      workflowId: testNotificationWorkflowId('1'),
      args: [{ requestedBy: 'ada' }],
    });
    expect(await handle.result()).toEqual([{ sink: 'slack', ok: false, why: 'HTTP 404' }]);
    await freeze('tested', handle);
    await freeze('tested-notification', handle);
  });
});
