import { WorkflowNotFoundError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import type { WorkflowBundle } from '@temporalio/worker';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { PROGRESS_QUERY } from '../../workflows/common/contract.js';
import { driftWorkflowId, type DriftProgress, type DriftResult } from '../../workflows/monitorDrift/contract.js';
import { QUEUES } from '../../workflows/common/queues.js';
import { releaseWorkflowId, type ReleaseInput, type ReleaseProgress } from '../../workflows/releaseModel/contract.js';
import { FakeDrift } from '../support/fake-drift.js';
import { freeze } from '../support/freeze.js';
import { FakeSystem } from '../support/fake-system.js';
import { useServers } from '../support/shared-servers.js';
import { connectTemporal, runWorkers, type RunningWorkers, type TestTemporal } from '../support/temporal.js';
import { bundleWorkflows, OUTLASTS_A_LOST_TASK_MS, startActivityWorkers } from '../support/workflow-environment.js';

let bundle: WorkflowBundle;
let temporal: TestTemporal;
let client: Client;
beforeAll(async () => {
  const [{ env }, compiled] = await Promise.all([useServers(['temporal']), bundleWorkflows()]);
  bundle = compiled;
  temporal = await connectTemporal(env);
  ({ client } = temporal);
});
afterAll(() => temporal?.close());

/** Runs workflows and nothing else, so that a test can end it while an activity is at work. */
const startWorkflowWorker = async (): Promise<RunningWorkers> =>
  runWorkers([await temporal.createWorker({ taskQueue: QUEUES.release, workflowBundle: bundle })]);

let system: FakeSystem;
let drift: FakeDrift;
let activityWorkers: RunningWorkers;
let workflowWorker: RunningWorkers;
/** a model of the test's own, so that no test sees another's runs */
let model: string;
let serial = 0;
beforeEach(async () => {
  system = new FakeSystem();
  system.goLive('live');
  system.dataPasses = false;
  drift = new FakeDrift();
  model = `m${(serial += 1)}`;
  const activities = { ...system.activities, ...drift.activities };
  activityWorkers = await startActivityWorkers(temporal, activities, { ...system.replica });
  workflowWorker = await startWorkflowWorker();
});
afterEach(() => Promise.all([workflowWorker, activityWorkers].map((workers) => workers.close())));

const dayOf = (date: string): { asOf: string; key: string } => ({ asOf: `${date}T00:00:00.000Z`, key: date });
function start(date: string, kind: 'daily' | 'weekly' = 'daily'): Promise<WorkflowHandle> {
  const { asOf, key: day } = dayOf(date);
  const key = kind === 'weekly' ? `weekly-${day}` : day;
  return client.workflow.start('monitorDrift', {
    taskQueue: QUEUES.release,
    workflowId: driftWorkflowId(model, key),
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    args: [{ model, asOf, key, kind }],
  });
}
const result = (handle: WorkflowHandle) => handle.result() as Promise<DriftResult>;
/** Notifications are under way for a moment after the run that they are about. */
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, OUTLASTS_A_LOST_TASK_MS);
/** Of the test's own model: those of the test before may still be under way. */
const told = () => system.notifications.filter(({ title }) => title.startsWith(`${model}: `));
const alerts = () => told().map(({ title }) => title);
const judge = async (date: string) => result(await start(date));
const stepsOf = ({ steps }: DriftProgress) => steps.map(({ name, status }) => `${name}: ${status}`);

/** The retraining releases that were ever started, of the days named. */
async function releases(...dates: string[]): Promise<string[]> {
  const found = await Promise.all(
    dates.map(async (date) => {
      const id = releaseWorkflowId(model, `drift-${date}`);
      try {
        await client.workflow.getHandle(id).describe();
        return [date];
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return [];
        throw error;
      }
    }),
  );
  return found.flat();
}
/** How the day's retraining ended: by the data's checks, unless a test lets them pass. */
const releaseEnded = async (date: string): Promise<string> => {
  const handle = client.workflow.getHandle(releaseWorkflowId(model, `drift-${date}`));
  await handle.result().catch(() => undefined);
  return (await handle.query<ReleaseProgress>(PROGRESS_QUERY)).status;
};

/** Days with drift before the one of the test: the third asks for a retraining. */
async function drifted(...dates: string[]): Promise<void> {
  drift.verdictOf = () => 'drift';
  const bundle = { version: 'live', manifestSha256: '0' };
  for (const date of dates) await drift.activities.compareWindow({ model, ...dayOf(date), bundle });
}

describe('a day', () => {
  it('without drift: logged, nobody told, nothing started', async () => {
    const handle = await start('2025-06-28');
    const end = await result(handle);
    expect(end).toMatchObject({ status: 'None', mlflowUrl: 'http://mlflow/#/2025-06-28', retraining: null });
    expect(stepsOf(end)).toEqual([
      'live bundle: done',
      'compare: done',
      'retraining: skipped',
      'alert: skipped',
      'MLflow: done',
    ]);
    expect(alerts()).toEqual([]);
    await freeze('none', handle);
  });

  it('with drift for the first time: one alert, no retraining', async () => {
    const handle = await start('2025-06-28');
    drift.verdictOf = () => 'drift';
    expect(await result(handle)).toMatchObject({ status: 'Drift', day: { sustained: { days: 1 } } });
    await eventually(() => expect(alerts()).toEqual([`${model}: drift as of 2025-06-28`]));
    expect(await releases('2025-06-28')).toEqual([]);
    await freeze('alerted', handle);
    await freeze('alerted-telling', handle);
  });

  it('with something to look at that is no drift: a warning', async () => {
    const handle = await start('2025-06-28');
    drift.verdictOf = () => 'warn';
    expect(await result(handle)).toMatchObject({ status: 'Warning' });
    await freeze('warned', handle);
  });

  it('is not held up by channels that are down; what it had to tell comes when they are back', async () => {
    let back = (): void => {};
    const down = new Promise<void>((resolve) => (back = resolve));
    system.beforeDelivery = () => down;
    drift.verdictOf = () => 'drift';
    const handle = await start('2025-06-28');
    try {
      expect(await result(handle)).toMatchObject({ status: 'Drift', mlflowUrl: 'http://mlflow/#/2025-06-28' });
      const { events } = await handle.fetchHistory();
      const asked = events?.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
      expect(asked).toContain('compareWindow');
      expect(asked).not.toContain('notify');
      expect(alerts()).toEqual([]);
    } finally {
      back();
    }
    await eventually(() => expect(alerts()).toEqual([`${model}: drift as of 2025-06-28`]));
    expect(told()[0]).toMatchObject({ severity: 'warning', workflowId: handle.workflowId });
  });

  it('with lasting drift that costs no more alerts than before: no retraining', async () => {
    drift.pressures = [];
    await drifted('2025-06-26', '2025-06-27');
    expect(await judge('2025-06-28')).toMatchObject({ status: 'Drift', day: { sustained: { days: 3 } } });
    expect(drift.claims).toEqual([]);
  });

  it('invariant 6: with too little to judge by: told, nothing logged, run again when there is more', async () => {
    drift.verdictOf = () => 'inconclusive';
    const handle = await start('2025-06-28');
    expect(await result(handle)).toMatchObject({ status: 'Inconclusive', mlflowUrl: null });
    expect(drift.logged).toEqual([]);
    await freeze('inconclusive', handle);
    await freeze('inconclusive-telling', handle);
    // The next day's says nothing new; after a verdict it does.
    expect(await judge('2025-06-29')).toMatchObject({ status: 'Inconclusive' });
    drift.verdictOf = () => 'none';
    expect(await judge('2025-06-28')).toMatchObject({ status: 'None' });
    drift.verdictOf = () => 'inconclusive';
    expect(await judge('2025-06-30')).toMatchObject({ status: 'Inconclusive' });
    await eventually(() =>
      expect(alerts()).toEqual([
        `${model}: no verdict on drift as of 2025-06-28`,
        `${model}: no verdict on drift as of 2025-06-30`,
      ]),
    );
  });

  it('with nothing live: told once, as no verdict', async () => {
    system.pointer = null;
    const handle = await start('2025-06-28');
    const end = await result(handle);
    await freeze('nothing-live', handle);
    expect(end).toMatchObject({ status: 'Inconclusive', why: expect.stringContaining('release a model first') });
    expect(stepsOf(end)).toContain('compare: skipped');
    expect(await judge('2025-06-29')).toMatchObject({ status: 'Inconclusive' });
    expect(await result(await start('2025-06-29', 'weekly'))).toMatchObject({ status: 'Inconclusive' });
    await eventually(() => expect(alerts()).toEqual([`${model}: nothing is live yet`]));
  });

  it('that cannot be compared fails, and shows where and why', async () => {
    drift.verdictOf = () => {
      throw ApplicationFailure.nonRetryable('reference_profile.json is not what its manifest says', 'IntegrityError');
    };
    const handle = await start('2025-06-28');
    await expect(handle.result()).rejects.toThrow();
    const progress = await handle.query<DriftProgress>(PROGRESS_QUERY);
    expect(progress).toMatchObject({ status: 'Failed', why: expect.stringContaining('is not what its manifest says') });
    expect(stepsOf(progress).slice(0, 3)).toEqual(['live bundle: done', 'compare: failed', 'retraining: skipped']);
    await freeze('failed', handle);
    await freeze('failed-telling', handle);
    await eventually(() => expect(told()).toHaveLength(1));
    expect(told()[0]).toMatchObject({
      severity: 'critical',
      // as the schedule's launcher would have it
      key: `${handle.workflowId}/failed`,
      title: `${model}: the drift run as of 2025-06-28 failed`,
      text: expect.stringContaining('is not what its manifest says'),
      whatToDo: expect.stringContaining('sluice drift run --as-of 2025-06-28'),
    });
  });
});

describe('a retraining', () => {
  it('starts once when drift lasts and costs alerts; not the next day; again after the cool-down', async () => {
    system.dataPasses = true;
    await drifted('2025-06-26', '2025-06-27');
    const third = await start('2025-06-28');
    const end = await result(third);
    expect(end).toMatchObject({
      status: 'Retraining',
      retraining: { outcome: 'started', claim: { releaseId: 'drift-2025-06-28' }, until: '2025-07-12T00:00:00.000Z' },
    });
    expect(await releaseEnded('2025-06-28')).toBe('Released');
    expect(system.reports).toMatchObject([{ releaseId: 'drift-2025-06-28', actor: expect.stringContaining('drift') }]);
    await freeze('retraining', third);
    await freeze('retraining-holding', third);
    await freeze('retraining-telling', third);
    const about = () => told().map(({ severity, title }) => `${severity} ${title}`);
    await eventually(() =>
      expect(about()).toEqual([
        `critical ${model}: drift as of 2025-06-28`,
        `info ${model}: retraining drift-2025-06-28, started by drift, is live`,
      ]),
    );
    expect(told()[0]?.text).toContain('Retraining drift-2025-06-28 was started');

    const next = await start('2025-06-29');
    expect(await result(next)).toMatchObject({
      status: 'Drift',
      retraining: { outcome: 'cooling-down', claim: { releaseId: 'drift-2025-06-28' } },
    });
    await freeze('cooling-down', next);
    await freeze('cooling-down-telling', next);

    await drifted('2025-07-10', '2025-07-11');
    expect(await judge('2025-07-12')).toMatchObject({ status: 'Retraining' });
    expect(await releases('2025-06-28', '2025-06-29', '2025-07-10', '2025-07-11', '2025-07-12')).toEqual([
      '2025-06-28',
      '2025-07-12',
    ]);
    await releaseEnded('2025-07-12');
  });

  it('starts once when the worker ends between claim and start, and another goes on', async () => {
    await drifted('2025-06-26', '2025-06-27');
    let claimed = (): void => undefined;
    const isClaimed = new Promise<void>((resolve) => (claimed = resolve));
    let answer = (): void => undefined;
    const mayAnswer = new Promise<void>((resolve) => (answer = resolve));
    drift.afterClaim = () => {
      claimed();
      return mayAnswer;
    };
    const handle = await start('2025-06-28');
    await isClaimed;
    await workflowWorker.close();
    answer();
    expect(drift.claims).toMatchObject([{ releaseId: 'drift-2025-06-28', startedAt: null }]);
    expect(await releases('2025-06-28')).toEqual([]);
    workflowWorker = await startWorkflowWorker();
    expect(await result(handle)).toMatchObject({ status: 'Retraining' });
    await releaseEnded('2025-06-28');
    expect(await judge('2025-06-29')).toMatchObject({ retraining: { outcome: 'cooling-down' } });
    expect(await releases('2025-06-28', '2025-06-29')).toEqual(['2025-06-28']);
    expect(drift.claims).toHaveLength(1);
  });

  it('starts once when the answer to the claim and the record of the start are lost', async () => {
    await drifted('2025-06-26', '2025-06-27');
    let lost = 1;
    drift.afterClaim = () => (lost-- > 0 ? Promise.reject(new Error('killed')) : Promise.resolve());
    drift.recordFails = 1;
    expect(await judge('2025-06-28')).toMatchObject({ status: 'Retraining' });
    await releaseEnded('2025-06-28');
    expect(drift.claims).toMatchObject([{ releaseId: 'drift-2025-06-28', startedAt: expect.any(String) }]);
    expect(system.reports).toHaveLength(1);
  });

  it('that was claimed by a run that was terminated is started by the next day', async () => {
    await drifted('2025-06-26', '2025-06-27');
    let claimed = (): void => undefined;
    const isClaimed = new Promise<void>((resolve) => (claimed = resolve));
    drift.afterClaim = () => {
      claimed();
      return new Promise((resolve) => setTimeout(resolve, 200));
    };
    const handle = await start('2025-06-28');
    await isClaimed;
    await handle.terminate();
    drift.afterClaim = null;
    expect(await judge('2025-06-29')).toMatchObject({
      status: 'Retraining',
      retraining: { claim: { releaseId: 'drift-2025-06-28' } },
    });
    await releaseEnded('2025-06-28');
    expect(await releases('2025-06-28', '2025-06-29')).toEqual(['2025-06-28']);
  });

  it('whose release exists already is found, not started again', async () => {
    await drifted('2025-06-26', '2025-06-27');
    const { asOf } = dayOf('2025-06-28');
    const caller = { actor: 'ada', reason: 'by hand' };
    const input: ReleaseInput = { model, releaseId: 'drift-2025-06-28', asOf, caller };
    const release = await client.workflow.start('releaseModel', {
      taskQueue: QUEUES.release,
      workflowId: releaseWorkflowId(model, input.releaseId),
      args: [input],
    });
    await releaseEnded('2025-06-28');
    expect(await judge('2025-06-28')).toMatchObject({ status: 'Retraining' });
    expect((await release.describe()).runId).toBe(release.firstExecutionRunId);
    expect(drift.claims[0]?.startedAt).not.toBeNull();
    expect(system.reports).toHaveLength(1);
  });

  it('is claimed and recorded also when the run is cancelled meanwhile', async () => {
    await drifted('2025-06-26', '2025-06-27');
    let handle: WorkflowHandle | null = null;
    drift.afterClaim = async () => {
      await vi.waitUntil(() => handle !== null);
      await handle?.cancel();
    };
    handle = await start('2025-06-28');
    await expect(handle.result()).rejects.toThrow();
    await releaseEnded('2025-06-28');
    expect(drift.claims).toMatchObject([{ startedAt: expect.any(String) }]);
    await freeze('cancelled', handle);
  });
});

describe('a weekly snapshot', () => {
  it('is kept, and nobody told', async () => {
    const handle = await start('2025-06-29', 'weekly');
    expect(await result(handle)).toMatchObject({
      status: 'Recorded',
      snapshot: { snapshotKey: `fraud/drift/${model}/weekly-2025-06-29/snapshot.json` },
    });
    expect(alerts()).toEqual([]);
    await freeze('weekly', handle);
  });

  it('of an empty window: told', async () => {
    drift.rows = 0;
    const handle = await start('2025-06-29', 'weekly');
    expect(await result(handle)).toMatchObject({ status: 'Inconclusive' });
    expect(await result(await start('2025-07-06', 'weekly'))).toMatchObject({ status: 'Inconclusive' });
    await eventually(() => expect(alerts()).toEqual([`${model}: no weekly snapshot as of 2025-06-29`]));
    await freeze('weekly-empty', handle);
  });
});
