import type { WorkflowHandle } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QUEUES } from '../../workflows/common/queues.js';
import { PROGRESS_QUERY } from '../../workflows/common/contract.js';
import {
  releaseWorkflowId,
  type ReleaseInput,
  type ReleaseProgress,
  type ReleaseResult,
} from '../../workflows/releaseModel/contract.js';
import { rolloutId } from '../../workflows/rolloutBundle/contract.js';
import { WORKFLOW, type SettleInput, type SettleResult } from '../../workflows/settleModel/contract.js';
import { FakeSystem } from '../support/fake-system.js';
import { freeze } from '../support/freeze.js';
import { OUTLASTS_A_LOST_TASK_MS, useWorkflows, type WorkflowEnvironment } from '../support/workflow-environment.js';

// Somebody terminates a run in Temporal: none of its undos run, and whoever comes next finds what it left.
const MODEL = 'ulb_gbdt';
const RUNNING = { workflowId: 'release/ulb_gbdt/the-one-that-asks', waits: false };
const workflows = useWorkflows();
let fake: FakeSystem;
let environment: WorkflowEnvironment;

beforeEach(async () => {
  fake = new FakeSystem();
  fake.underWay = [RUNNING];
  environment = await workflows.workOn(fake);
});
afterEach(() => environment.close());

let serial = 0;
async function release(overrides: ReleaseInput['overrides'] = {}): Promise<WorkflowHandle> {
  const releaseId = `settled-${(serial += 1)}`;
  const input: ReleaseInput = {
    model: MODEL,
    releaseId,
    asOf: '2025-06-30T00:00:00.000Z',
    caller: { actor: 'ada', reason: 'a test' },
    overrides,
  };
  return environment.client.workflow.start('releaseModel', {
    taskQueue: QUEUES.release,
    workflowId: releaseWorkflowId(MODEL, releaseId),
    args: [input],
  });
}
const released = async () => (await (await release()).result()) as ReleaseResult;

async function settle(
  underWay: FakeSystem['underWay'] = [],
): Promise<{ handle: WorkflowHandle; result: SettleResult }> {
  fake.underWay = underWay;
  const input: SettleInput = { model: MODEL, environment: 'production' };
  const handle = await environment.client.workflow.start(WORKFLOW, {
    taskQueue: QUEUES.release,
    workflowId: rolloutId(MODEL, 'production'),
    args: [input],
  });
  return { handle, result: (await handle.result()) as SettleResult };
}
const rollout = () => environment.client.workflow.getHandle(rolloutId(MODEL, 'production'));
const told = () => fake.alerts.filter((title) => title.includes('what a stopped run left behind'));
const stages = () => [...fake.registry].map(([version, { stage }]) => `${version} ${stage}`);

/** A second release whose rollout hangs in its reload, and both of them terminated there. */
async function terminateInReload(): Promise<void> {
  const { reload } = fake.replica;
  let letGo: (() => void) | null = null;
  fake.replica.reload = () => new Promise((_, reject) => (letGo = () => reject(new Error('let go'))));
  await environment.close();
  environment = await workflows.workOn(fake);
  const handle = await release();
  await vi.waitFor(() => expect(letGo).not.toBeNull(), 30_000);
  await handle.terminate('by hand');
  await rollout().terminate('by hand');
  (letGo as unknown as () => void)();
  fake.replica.reload = reload;
  await environment.close();
  environment = await workflows.workOn(fake);
}

describe('what a terminated run leaves behind', () => {
  it('in its reload: the live bundle is smoked, alias and stages follow it, and people are told', async () => {
    await released();
    await terminateInReload();
    expect(fake.pointer?.generation).toBe(2);
    expect([fake.aliases.get('champion'), ...stages()]).toEqual(['1', '1 Production', '2 Production']);
    expect(fake.verdicts.map(({ generation }) => generation)).toEqual([1]);

    const { handle, result } = await settle();
    expect(result).toEqual({
      failed: null,
      mended: [
        expect.stringMatching(/was live and never smoke-tested: 5 golden vectors are equal/),
        'the alias champion named version 1, not 2',
        'version 1 is neither live nor of a release that goes on: archived',
        'the alias challenger named a version of a release that is gone',
      ],
    });
    expect([fake.aliases.get('champion'), ...stages()]).toEqual(['2', '1 Archived', '2 Production']);
    expect(fake.verdicts).toContainEqual(expect.objectContaining({ generation: 2, verdict: 'Successful' }));
    await vi.waitFor(
      () => expect(told()).toEqual([`${MODEL}: what a stopped run left behind was put right`]),
      OUTLASTS_A_LOST_TASK_MS,
    );
    await freeze('settled', handle);
    await freeze('settled-telling', handle);

    const again = await settle();
    expect(again.result).toEqual({ mended: [], failed: null });
    expect(told()).toHaveLength(1);
  });

  it('is put right by the next change, before it composes', async () => {
    await released();
    await terminateInReload();
    expect(await released()).toMatchObject({ status: 'Released', generation: 3 });
    await vi.waitFor(
      () => expect(fake.alerts).toContain(`${MODEL}: what a stopped run left behind was put right`),
      OUTLASTS_A_LOST_TASK_MS,
    );
    expect([fake.aliases.get('champion'), ...stages()]).toEqual(['3', '1 Archived', '2 Archived', '3 Production']);
  });

  it('while it waited for a person: its version is archived, its alias given back', async () => {
    await released();
    const waiting = await release({ policy: 'manual' });
    await vi.waitFor(async () => {
      const { approval } = await waiting.query<ReleaseProgress>(PROGRESS_QUERY);
      if (approval === null) throw new Error('not waiting yet');
    }, OUTLASTS_A_LOST_TASK_MS);
    const itself = { workflowId: waiting.workflowId, waits: true };
    expect((await settle([itself])).result, 'it waits').toEqual({ mended: [], failed: null });
    await waiting.terminate('by hand');
    expect((await settle()).result.mended).toHaveLength(2);
    expect([...fake.aliases.keys(), ...stages()]).toEqual(['champion', '1 Production', '2 Archived']);
  });

  it('that fails its smoke is told at once, and the registry is left alone', async () => {
    await released();
    await terminateInReload();
    fake.smokeFails = () => true;
    const { handle, result } = await settle();
    expect(result).toEqual({ mended: [], failed: expect.stringContaining('vector 3 differs by 0.2') as string });
    expect([fake.aliases.get('champion'), ...stages()]).toEqual(['1', '1 Production', '2 Production']);
    await vi.waitFor(
      () => expect(told()).toEqual([`${MODEL}: what a stopped run left behind could not be put right`]),
      OUTLASTS_A_LOST_TASK_MS,
    );
    await freeze('unsettled', handle);
    await freeze('unsettled-telling', handle);
  });
});
