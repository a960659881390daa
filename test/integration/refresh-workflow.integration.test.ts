import { WorkflowFailedError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { PointerActivities } from '../../activities/pointer/contract.js';
import { runKey } from '../../domain/runs/key.js';
import type { RefreshJob } from '../../domain/refresh/types.js';
import type { ModelSpec } from '../../domain/release/types.js';
import { DECIDE_UPDATE } from '../../workflows/approval/contract.js';
import { QUEUES } from '../../workflows/common/queues.js';
import { PROGRESS_QUERY } from '../../workflows/common/contract.js';
import {
  JOB_WORKFLOWS,
  NIGHTLY_WORKFLOW,
  refreshWorkflowId,
  type RefreshProgress,
  type RefreshResult,
  type RefreshRunInput,
} from '../../workflows/refresh/contract.js';
import { FakeRefresh } from '../support/fake-refresh.js';
import { freeze } from '../support/freeze.js';
import { FakeSystem } from '../support/fake-system.js';
import { OUTLASTS_A_LOST_TASK_MS, useWorkflows, type WorkflowEnvironment } from '../support/workflow-environment.js';

const MODEL = 'ulb_gbdt';
const FIRST = '20250630-120000-1.0.0-0a1b2c3';
const JUNE_30 = '2025-06-30T00:00:00.000Z';
const JULY_1 = '2025-07-01T00:00:00.000Z';

const workflows = useWorkflows();
let fake: FakeSystem;
let jobs: FakeRefresh;
let environment: WorkflowEnvironment;
let policy: Partial<ModelSpec['refresh']['approval']>;
let swaps: Parameters<PointerActivities['swapPointer']>[0][];

beforeEach(async () => {
  fake = new FakeSystem();
  fake.goLive(FIRST);
  jobs = new FakeRefresh(fake);
  swaps = [];
  policy = {};
  const { swapPointer, loadModelSpec } = fake.activities;
  Object.assign(fake.activities, jobs.activities, {
    swapPointer: (input: (typeof swaps)[number]) => (swaps.push(input), swapPointer(input)),
    loadModelSpec: async (input: { model: string }) => {
      const loaded = await loadModelSpec(input);
      Object.assign(loaded.spec.refresh.approval, policy);
      return loaded;
    },
  });
  environment = await workflows.workOn(fake);
});
afterEach(() => environment.close());

function start(asOf = JUNE_30, job: RefreshJob | null = null): Promise<WorkflowHandle> {
  const key = runKey(asOf);
  const input: RefreshRunInput = { model: MODEL, asOf, key, caller: { actor: 'ada', reason: 'a test' } };
  return environment.client.workflow.start(job === null ? NIGHTLY_WORKFLOW : JOB_WORKFLOWS[job], {
    taskQueue: QUEUES.release,
    workflowId: refreshWorkflowId(MODEL, key, job),
    args: [input],
  });
}
const result = (handle: WorkflowHandle) => handle.result() as Promise<RefreshResult>;
const progress = (handle: WorkflowHandle) => handle.query<RefreshProgress>(PROGRESS_QUERY);
const outcomes = ({ jobs: all }: RefreshProgress) =>
  Object.fromEntries(all.map(({ job, state, artifacts }) => [job, artifacts[0]?.outcome ?? state]));
async function failure(handle: WorkflowHandle): Promise<string> {
  const error = await handle.result().then(
    () => expect.fail('the refresh should have failed'),
    (e: unknown) => e as WorkflowFailedError,
  );
  return rootCause(error.cause) ?? '';
}

function awaitApproval(handle: WorkflowHandle): Promise<NonNullable<RefreshProgress['approval']>> {
  return vi.waitFor(async () => {
    const { approval: pending } = await progress(handle);
    if (pending === null) throw new Error('not waiting yet');
    return pending;
  }, OUTLASTS_A_LOST_TASK_MS);
}

const decide = (handle: WorkflowHandle, verdict: 'approve' | 'reject', digest: string, actor = 'grace') =>
  handle.executeUpdate(DECIDE_UPDATE, {
    args: [{ decisionId: `d-${verdict}`, verdict, actor, reason: 'looked at it', digest }],
  });

/** Notifications are under way for a moment after the run that they are about. */
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, OUTLASTS_A_LOST_TASK_MS);

describe('nightlyRefresh', () => {
  it('builds side by side and publishes one bundle; the same night again changes nothing', async () => {
    const waiting = new Set<RefreshJob>();
    jobs.beforeBuild = async (job) => {
      waiting.add(job);
      await vi.waitUntil(() => waiting.size === 4, { timeout: 10_000 });
    };
    const handle = await start();
    const end = await result(handle);
    expect(end).toMatchObject({ status: 'Refreshed', generation: 2, why: null, bundleVersion: fake.pointer?.version });
    expect(end.steps.map(({ name, status }) => `${name}: ${status}`)).toEqual([
      ...['live bundle', 'build', 'compose', 'rollout'].map((name) => `${name}: done`),
      'decision: skipped',
      'publish approved: skipped',
    ]);
    expect(new Set(Object.values(outcomes(end)))).toEqual(new Set(['live']));
    expect(swaps).toHaveLength(1);
    expect(swaps[0]).toMatchObject({
      releaseId: 'refresh-2025-06-30',
      actor: 'ada',
      reason: 'a test',
      change: { kind: 'lookups' },
    });
    const child = environment.client.workflow.getHandle(refreshWorkflowId(MODEL, '2025-06-30', 'fxRates'));
    expect(await result(child)).toMatchObject({ status: 'Made', why: `published by ${handle.workflowId}` });
    await freeze('refreshed', handle);
    await freeze('refreshed-holding', handle);
    await freeze('made', child);
    await freeze('made-holding', child);
    for (const job of ['merchantFrequency', 'categoryStats', 'synonyms'] as const)
      await freeze(`made-${job}`, environment.client.workflow.getHandle(refreshWorkflowId(MODEL, '2025-06-30', job)));

    const before = fake.pointer;
    const again = await start();
    expect(await result(again)).toMatchObject({
      status: 'Unchanged',
      bundleVersion: null,
      why: 'nothing changed: no new bundle',
    });
    expect(fake.pointer).toEqual(before);
    expect(jobs.made).toHaveLength(4);
    expect(fake.alerts).toEqual([]);
    await freeze('unchanged', again);
  });

  it('survives the failure of one job: the rest is live, one alert is out; the next night recovers', async () => {
    jobs.failureOf = (job, key) => (job === 'fxRates' && key === '2025-06-30' ? 'the provider is down' : null);
    const handle = await start();
    const end = await result(handle);
    expect(end).toMatchObject({
      status: 'Incomplete',
      generation: 2,
      why: 'fxRates (the provider is down) failed',
    });
    expect(outcomes(end)).toEqual({
      merchantFrequency: 'live',
      categoryStats: 'live',
      fxRates: 'failed',
      synonyms: 'live',
    });
    await eventually(() => expect(fake.alerts).toEqual(['ulb_gbdt: fxRates failed as of 2025-06-30']));
    await freeze('incomplete', handle);
    const next = await result(await start(JULY_1));
    expect(next).toMatchObject({ status: 'Refreshed', generation: 3 });
    await eventually(() => expect(fake.alerts).toHaveLength(1));
  });

  it('fails where every job failed, and tells it once, naming the jobs by cause', async () => {
    jobs.failureOf = (job) => (job === 'fxRates' ? 'the provider is down' : 'MongoDB does not answer');
    const handle = await start();
    expect(await failure(handle)).toMatch(/does not answer/);
    expect(await progress(handle)).toMatchObject({ status: 'Failed' });
    const about = () => fake.notifications.filter(({ title }) => title.includes('2025-06-30'));
    await eventually(() => expect(about()).toHaveLength(1));
    expect(about()[0]).toMatchObject({
      severity: 'critical',
      // the schedule's own key for this run: its launcher tells nothing more
      key: 'refresh/ulb_gbdt/2025-06-30/failed',
      title: 'ulb_gbdt: the refresh as of 2025-06-30 failed',
      text: 'every job failed. merchantFrequency, categoryStats, synonyms: MongoDB does not answer; fxRates: the provider is down',
      whatToDo: expect.stringContaining('sluice refresh run'),
    });
    await freeze('failed', handle);
    await freeze('failed-once', handle);
  });

  it('tells of the rollout that failed after a job had failed: two events', async () => {
    jobs.failureOf = (job) => (job === 'fxRates' ? 'the provider is down' : null);
    fake.smokeFails = (version) => version !== FIRST;
    const handle = await start();
    expect(await failure(handle)).toMatch(/vector 3 differs/);
    await eventually(() =>
      expect([...fake.alerts].sort()).toEqual([
        'ulb_gbdt: fxRates failed as of 2025-06-30',
        'ulb_gbdt: the refresh as of 2025-06-30 failed',
      ]),
    );
    await freeze('incomplete-rolled-back', handle);
  });

  it('ends as NothingLive where nothing is live: told once, whatever night or job comes next', async () => {
    fake.pointer = null;
    const handle = await start();
    expect(await result(handle)).toMatchObject({
      status: 'NothingLive',
      why: expect.stringMatching(/nothing of ulb_gbdt is live yet.*sluice release start/),
    });
    expect(await result(await start(JULY_1))).toMatchObject({ status: 'NothingLive' });
    const alone = await start(JULY_1, 'fxRates');
    expect(await result(alone)).toMatchObject({ status: 'NothingLive' });
    await eventually(() => expect(fake.alerts).toEqual(['ulb_gbdt: nothing is live yet']));
    await freeze('nothing-live', handle);
    await freeze('nothing-live-job', alone);
  });

  it('publishes the rest at once and what is beyond its tolerance when a person says so', async () => {
    jobs.passes = (job) => job !== 'merchantFrequency';
    const handle = await start();
    const { digest, proposal } = await awaitApproval(handle);
    expect(fake.pointer).toMatchObject({ generation: 2, release_id: 'refresh-2025-06-30' });
    expect(jobs.lookups.get(fake.pointer?.version ?? '')).not.toHaveProperty(['merchant_freq_map.json']);
    expect(proposal.artifacts).toMatchObject([
      { lookup: 'merchant_freq_map', checks: [{ passed: false, message: 'largest move is 3, 2 above 1' }] },
    ]);
    const { workflowExecutionInfo } = (await handle.describe()).raw;
    expect(JSON.stringify(workflowExecutionInfo?.searchAttributes)).toContain('SluiceStatus');
    await expect(decide(handle, 'approve', 'f'.repeat(64))).rejects.toThrow(WorkflowUpdateFailedError);
    await expect(decide(handle, 'approve', digest, 'mallory')).rejects.toThrow(WorkflowUpdateFailedError);
    await decide(handle, 'approve', digest);
    const end = await result(handle);
    expect(end).toMatchObject({ status: 'Refreshed', generation: 3, decidedBy: 'grace', approval: null });
    expect(jobs.lookups.get(fake.pointer?.version ?? '')).toHaveProperty(['merchant_freq_map.json']);
    expect(swaps[1]).toMatchObject({
      releaseId: 'refresh-2025-06-30-approved',
      actor: 'ada',
      change: { kind: 'lookups', proposal_sha256: digest, decided_by: 'grace', decision_reason: 'looked at it' },
    });
    await eventually(() =>
      expect(fake.alerts).toEqual([
        'ulb_gbdt: merchant_freq_map held as of 2025-06-30',
        'ulb_gbdt: what the refresh of 2025-06-30 holds back was approved by grace',
      ]),
    );
    await freeze('held-approved', handle);
    await freeze('held-approved-holding', handle);
    await freeze('held-approved-telling', handle);
  });

  it('does not publish what is rejected, or not decided in time, and says so', async () => {
    jobs.passes = (job) => job !== 'merchantFrequency';
    const rejected = await start();
    await decide(rejected, 'reject', (await awaitApproval(rejected)).digest);
    expect(await result(rejected)).toMatchObject({
      status: 'Rejected',
      generation: 2,
      why: 'merchant_freq_map rejected by grace, not published',
    });
    await freeze('held-rejected', rejected);

    policy = { deadline_hours: 1.5 / 3600, remind_every_hours: 1 / 3600 };
    const expired = await start(JULY_1);
    expect(await result(expired)).toMatchObject({
      status: 'Expired',
      generation: 3,
      why: 'merchant_freq_map not decided in time, not published',
    });
    await eventually(() => {
      expect(fake.alerts).toContain('ulb_gbdt: nobody decided on what the refresh of 2025-07-01 holds back in time');
      expect(fake.alerts).toContain('ulb_gbdt: what the refresh of 2025-07-01 holds back still waits for a decision');
    });
    expect(jobs.lookups.get(fake.pointer?.version ?? '')).not.toHaveProperty(['merchant_freq_map.json']);
    await freeze('held-expired', expired);
  });

  it('does not hold up the next night; what became older meanwhile is not published, though it is approved', async () => {
    jobs.passes = (job, key) => job !== 'fxRates' || key !== '2025-06-30';
    const waiting = await start();
    const { digest } = await awaitApproval(waiting);
    expect(await result(await start(JULY_1))).toMatchObject({ status: 'Refreshed', generation: 3 });
    const live = fake.pointer;
    await decide(waiting, 'approve', digest);
    expect(await result(waiting)).toMatchObject({
      status: 'Superseded',
      generation: 2,
      why: 'fx_rates older than what is live, not published',
    });
    expect(fake.pointer).toEqual(live);
    await freeze('overtaken', waiting);

    // and a night that comes late publishes nothing older at all
    expect(await result(await start('2025-06-29T00:00:00.000Z'))).toMatchObject({
      status: 'Superseded',
      generation: null,
    });
    expect(fake.pointer).toEqual(live);
  });

  it('composes anew on what went live first, also at the very moment of the swap', async () => {
    fake.beforeSwap = () => {
      fake.goLive('20250630-130000-1.1.0-0a1b2c3');
      return Promise.resolve();
    };
    const handle = await start();
    expect(await result(handle)).toMatchObject({ status: 'Refreshed', generation: 3 });
    expect(fake.bundles.get(fake.pointer?.version ?? '')?.parentVersion).toBe('20250630-130000-1.1.0-0a1b2c3');
    await freeze('rebased', handle);
  });

  it('fails loudly when the new bundle does not pass its smoke; the former is live again', async () => {
    fake.smokeFails = (version) => version !== FIRST;
    const handle = await start();
    expect(await failure(handle)).toMatch(/vector 3 differs by 0.2; 20250630-120000-1.0.0-0a1b2c3 is live/);
    expect(fake.pointer).toMatchObject({ version: FIRST, generation: 3 });
    await eventually(() => expect(fake.alerts).toEqual(['ulb_gbdt: the refresh as of 2025-06-30 failed']));
    await freeze('rolled-back', handle);
  });

  it('is superseded, with a warning, where its bundle failed its smoke and something newer is live by then', async () => {
    const rival = '20250630-130000-1.1.0-0a1b2c3';
    fake.smokeFails = (version) => {
      if (version.startsWith('refresh-')) fake.goLive(rival);
      return version.startsWith('refresh-');
    };
    const handle = await start();
    const end = await result(handle);
    await freeze('superseded', handle);
    expect(end).toMatchObject({ status: 'Superseded', generation: null, bundleVersion: null });
    expect(end.why).toMatch(
      /not published: the rollout of refresh-.* failed: vector 3 differs by 0.2; 20250630-130000/,
    );
    expect(new Set(Object.values(outcomes(end)))).toEqual(new Set(['superseded']));
    expect(fake.pointer).toMatchObject({ version: rival, generation: 3 });
    await eventually(() =>
      expect(fake.alerts).toEqual([expect.stringMatching(/fx_rates.* as of 2025-06-30 not published/)]),
    );
  });

  it('publishes by itself where the policy is auto; tells of a source that stands still', async () => {
    jobs.passes = () => false;
    policy = { policy: 'auto' };
    expect(await result(await start())).toMatchObject({ status: 'Refreshed', generation: 2 });
    expect(await result(await start())).toMatchObject({ status: 'Unchanged' });
    await eventually(() => expect(fake.alerts).toHaveLength(4));
    await eventually(() => expect(fake.alerts[0]).toMatch(/is unchanged and fails its checks/));
  });
});

describe('a job alone', () => {
  it('publishes one bundle with what it made', async () => {
    const handle = await start(JUNE_30, 'fxRates');
    expect(await result(handle)).toMatchObject({ status: 'Refreshed', generation: 2 });
    expect(Object.keys(jobs.lookups.get(fake.pointer?.version ?? '') ?? {})).toEqual(['fx_rates.json']);
    expect(swaps[0]?.releaseId).toBe('refresh-2025-06-30-fxRates');
  });

  it('that waits for a person does not hold up the night; cancelled, it publishes nothing', async () => {
    jobs.passes = (job) => job !== 'synonyms';
    const alone = await start(JUNE_30, 'synonyms');
    await awaitApproval(alone);
    const night = await start();
    await awaitApproval(night);
    expect(fake.pointer?.generation).toBe(2);
    for (const handle of [alone, night]) {
      await handle.cancel();
      await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
      expect(await progress(handle)).toMatchObject({ status: 'Failed', why: 'cancelled' });
    }
    expect(fake.pointer?.generation).toBe(2);
    expect(jobs.made).toHaveLength(4);
    await freeze('cancelled', alone);
    await freeze('cancelled-night', night);
  });

  it('fails with its reason, and tells once', async () => {
    jobs.failureOf = () => 'the provider is down';
    const handle = await start(JUNE_30, 'fxRates');
    expect(await failure(handle)).toBe('the provider is down');
    await eventually(() => expect(fake.alerts).toEqual(['ulb_gbdt: fxRates failed as of 2025-06-30']));
    await freeze('failed-job', handle);
  });
});
