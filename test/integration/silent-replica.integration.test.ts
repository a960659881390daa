import type { WorkflowFailedError, WorkflowHandle } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { BundleRef, ReplicaInfo } from '../../domain/release/types.js';
import { QUEUES } from '../../workflows/common/queues.js';
import { releaseWorkflowId, type ReleaseInput, type ReleaseResult } from '../../workflows/releaseModel/contract.js';
import {
  rollbackWorkflowId,
  type RollbackInput,
  type RollbackResult,
} from '../../workflows/rollbackRelease/contract.js';
import { rolloutId, type RolloutResult } from '../../workflows/rolloutBundle/contract.js';
import { FakeSystem } from '../support/fake-system.js';
import { freeze } from '../support/freeze.js';
import { OUTLASTS_A_LOST_TASK_MS, useWorkflows, type WorkflowEnvironment } from '../support/workflow-environment.js';

// A replica that lost Temporal but kept its database, and a lease that somebody forged: neither holds up a rollout for long.
const MODEL = 'ulb_gbdt';
const workflows = useWorkflows();
let fake: FakeSystem;
let environment: WorkflowEnvironment;
let first: BundleRef;
let second: BundleRef;

beforeEach(async () => {
  fake = new FakeSystem();
  environment = await workflows.workOn(fake);
  first = fake.publish('20250601-000000-1.0.0-0000000');
  second = fake.publish('20250602-000000-1.0.0-0000000');
  fake.goLive(first.version);
  fake.goLive(second.version);
  fake.registry.set('0', { stage: 'Production', runId: 'run' });
  fake.replicaGeneration = 2;
});
afterEach(() => environment.close());

let serial = 0;
/** An operator goes back to a bundle. */
async function rollBack(to: BundleRef) {
  const releaseId = `emergency-${(serial += 1)}`;
  const input: RollbackInput = {
    model: MODEL,
    environment: 'production',
    version: to.version,
    releaseId,
    caller: { actor: 'grace', reason: 'a test' },
  };
  const startedAt = Date.now();
  const { rollout } = (await environment.client.workflow.execute('rollbackRelease', {
    taskQueue: QUEUES.release,
    workflowId: rollbackWorkflowId(MODEL, releaseId),
    args: [input],
  })) as RollbackResult;
  const { runId } = await environment.client.workflow.getHandle(rolloutId(MODEL, 'production')).describe();
  const handle = environment.client.workflow.getHandle(rolloutId(MODEL, 'production'), runId);
  return { handle, result: rollout, seconds: (Date.now() - startedAt) / 1000 };
}

async function release(): Promise<WorkflowHandle> {
  const releaseId = `release-${(serial += 1)}`;
  const input: ReleaseInput = {
    model: MODEL,
    releaseId,
    asOf: '2025-06-30T00:00:00.000Z',
    caller: { actor: 'ada', reason: 'a test' },
    overrides: {},
  };
  return environment.client.workflow.start('releaseModel', {
    taskQueue: QUEUES.release,
    workflowId: releaseWorkflowId(MODEL, releaseId),
    args: [input],
  });
}

/** A lease that nobody answers for; what it says of itself. */
const lease = (shows: () => Pick<ReplicaInfo, 'generation' | 'manifestSha256'>) => (): ReplicaInfo[] => [
  { replicaId: 'deaf', address: 'http://127.0.0.1:1', environment: 'production', ...shows() },
];
const showsOld = lease(() => ({ generation: 2, manifestSha256: second.manifestSha256 }));
const reloadStep = ({ steps }: RolloutResult) => steps.find(({ name }) => name === 'reload')?.detail;

describe('a replica that orders do not reach', () => {
  it('has given its receipt when its lease shows the generation and the digest', async () => {
    fake.otherReplicas = lease(() => ({
      generation: fake.pointer?.generation ?? 0,
      manifestSha256: `sha of ${fake.pointer?.version}`,
    }));
    const { handle, result, seconds } = await rollBack(first);
    expect(result).toMatchObject({ outcome: 'live', verdict: 'Successful', generation: 3, liveVersion: first.version });
    expect(result.receipts).toContainEqual({
      replicaId: 'deaf',
      version: first.version,
      manifestSha256: first.manifestSha256,
      generation: 3,
      loadedInMs: null,
    });
    expect(reloadStep(result)).toContain('deaf by its lease');
    expect(result.silent).toBeUndefined();
    expect(seconds).toBeLessThan(15);
    await freeze('lease-receipt', handle);
  });

  it('that shows nothing new is named, told and left out after seconds: the rollback stands', async () => {
    fake.otherReplicas = showsOld;
    const { handle, result, seconds } = await rollBack(first);
    expect(result).toMatchObject({
      outcome: 'live',
      verdict: 'Successful',
      liveVersion: first.version,
      silent: ['deaf'],
    });
    expect(result.receipts.map(({ replicaId }) => replicaId)).toEqual(['r1']);
    expect(reloadStep(result)).toContain('deaf does not answer and was left out');
    const told = () => fake.alerts.filter((title) => title.includes('does not answer'));
    await vi.waitFor(() => expect(told()).toEqual(['ulb_gbdt: replica deaf does not answer']), OUTLASTS_A_LOST_TASK_MS);
    expect(fake.generations).toEqual([1, 2, 3]);
    expect(seconds).toBeLessThan(45);
    await freeze('silent-replica', handle);
    await freeze('silent-replica-telling', handle);
  });

  it('does not undo a release either, while another answers', async () => {
    fake.otherReplicas = showsOld;
    const handle = await release();
    expect((await handle.result()) as ReleaseResult).toMatchObject({ status: 'Released', generation: 3 });
    await vi.waitFor(
      () => expect(fake.alerts).toContain('ulb_gbdt: replica deaf does not answer'),
      OUTLASTS_A_LOST_TASK_MS,
    );
  });

  it('alone undoes a release, by name, and the undo needs no receipt of it; a rollback stands all the same', async () => {
    await environment.close();
    fake.activities.liveReplicas = () =>
      Promise.resolve([
        { replicaId: 'alone', address: 'http://127.0.0.1:1', environment: 'production', generation: 2 },
      ]);
    environment = await workflows.workOn(fake);
    const failure = await (await release()).result().then(
      () => expect.fail('nobody serves it'),
      (error: unknown) => rootCause((error as WorkflowFailedError).cause),
    );
    expect(failure).toMatch(/alone holds a lease and nothing more/);
    expect(fake.pointer).toMatchObject({ version: second.version, generation: 4 });
    await vi.waitFor(
      () => expect(fake.alerts).toContain('ulb_gbdt: replica alone does not answer'),
      OUTLASTS_A_LOST_TASK_MS,
    );

    const rollback = await rollBack(first);
    expect(rollback.result).toMatchObject({ outcome: 'live', liveVersion: first.version, receipts: [] });
    expect(
      fake.verdicts.filter(({ verdict }) => verdict === 'Successful'),
      'nobody has smoked it',
    ).toEqual([]);
    expect(rollback.seconds).toBeLessThan(45);
  });
});
