import { WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DECIDE_UPDATE } from '../../workflows/approval/contract.js';
import { PROGRESS_QUERY } from '../../workflows/common/contract.js';
import { QUEUES } from '../../workflows/common/queues.js';
import {
  releaseWorkflowId,
  type ReleaseInput,
  type ReleaseProgress,
  type ReleaseResult,
} from '../../workflows/releaseModel/contract.js';
import { FakeSystem } from '../support/fake-system.js';
import { freeze } from '../support/freeze.js';
import { OUTLASTS_A_LOST_TASK_MS, useWorkflows, type WorkflowEnvironment } from '../support/workflow-environment.js';

// Whoever reaches Temporal can send Updates. However many: the run that waits can still be decided by who may.
const workflows = useWorkflows();
let fake: FakeSystem;
let environment: WorkflowEnvironment;
let handle: WorkflowHandle;
let digest: string;

let serial = 0;
beforeEach(async () => {
  fake = new FakeSystem();
  environment = await workflows.workOn(fake);
  const releaseId = `flooded-${(serial += 1)}`;
  const input: ReleaseInput = {
    model: 'ulb_gbdt',
    releaseId,
    asOf: '2025-06-30T00:00:00.000Z',
    caller: { actor: 'ada', reason: 'a test' },
    overrides: { policy: 'manual' },
  };
  handle = await environment.client.workflow.start('releaseModel', {
    taskQueue: QUEUES.release,
    workflowId: releaseWorkflowId('ulb_gbdt', releaseId),
    args: [input],
  });
  digest = await vi.waitFor(async () => {
    const { approval } = await handle.query<ReleaseProgress>(PROGRESS_QUERY);
    if (approval === null) throw new Error('not waiting yet');
    return approval.digest;
  }, 60_000);
});
afterEach(() => environment.close());

let decisions = 0;
const decide = (change: Record<string, unknown>) =>
  handle.executeUpdate(DECIDE_UPDATE, {
    args: [
      { decisionId: `d${(decisions += 1)}`, verdict: 'approve', actor: 'grace', reason: 'seen', digest, ...change },
    ],
  });
/** So many at once, eight under way at any time; returns the different refusals. */
async function flood(count: number, change: Record<string, unknown>): Promise<string[]> {
  const said = new Set<string>();
  let left = count;
  const one = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      try {
        await decide(change);
        said.add('accepted');
      } catch (error) {
        // A server that is busy has not answered: the same again.
        if (error instanceof WorkflowUpdateFailedError) said.add(rootCause(error.cause) ?? '');
        else left += 1;
      }
    }
  };
  await Promise.all(Array.from({ length: 8 }, one));
  return [...said];
}
/** Updates that have come into the history. One that is refused at once leaves none. */
const letIn = async (): Promise<number> => {
  const { events } = await handle.fetchHistory();
  return (events ?? []).filter((event) => Boolean(event.workflowExecutionUpdateAcceptedEventAttributes)).length;
};

describe('decisions of people who may not decide', () => {
  it('500 by an unknown name leave nothing in the history, and the right person decides', async () => {
    expect(await flood(500, { actor: 'nobody' })).toEqual([
      expect.stringMatching(/nobody is not among the principals/),
    ]);
    expect(await letIn()).toBe(0);
    await decide({});
    expect((await handle.result()) as ReleaseResult).toMatchObject({ status: 'Released' });
    await freeze('flooded', handle);
  }, 300_000);

  it('200 in a known name that lacks the role: a few are looked at, one notification, and the right person decides', async () => {
    const said = await flood(200, { actor: 'mallory' });
    expect(said).toContain('mallory is no approver');
    expect(said).toContainEqual(expect.stringMatching(/5 attempts in the name of mallory were refused/));
    await vi.waitFor(
      () =>
        expect(fake.alerts.filter((title) => title.includes('in the name of mallory'))).toEqual([
          'ulb_gbdt: decisions in the name of mallory are refused',
        ]),
      OUTLASTS_A_LOST_TASK_MS,
    );
    expect(await letIn()).toBe(5);
    await decide({});
    expect((await handle.result()) as ReleaseResult).toMatchObject({ status: 'Released' });
    await freeze('refused-attempts', handle);
    await freeze('refused-attempts-telling', handle);
  }, 300_000);

  it('texts that nobody would read are refused before they are kept', async () => {
    for (const [change, why] of [
      [{ reason: 'x'.repeat(2_001) }, '/reason has 2001 characters; at most 2000 are kept'],
      [{ decisionId: 'x'.repeat(201) }, '/decisionId has 201 characters'],
      [{ actor: 'x'.repeat(1_000_000) }, '/actor has 1000000 characters'],
      [{ proof: 'x'.repeat(201) }, '/proof must be a text of at most 200 characters'],
      [{ edits: { a: 'x'.repeat(100_000) } }, '/edits are longer than 100000 characters'],
    ] as const)
      expect(await flood(1, change)).toEqual([expect.stringContaining(why)]);
    expect(await letIn()).toBe(0);
    await decide({ verdict: 'reject', reason: 'x'.repeat(2_000) });
    expect((await handle.result()) as ReleaseResult).toMatchObject({ status: 'Rejected' });
  });
});
