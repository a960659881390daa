import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import { CancelledFailure } from '@temporalio/common';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createWaitActivities } from '../../activities/runs/wait.js';
import { useServers } from '../support/shared-servers.js';
import { connectTemporal, type TestTemporal } from '../support/temporal.js';

let temporal: TestTemporal;
let client: Client;
beforeAll(async () => {
  temporal = await connectTemporal((await useServers(['temporal'])).env);
  ({ client } = temporal);
});
afterAll(() => temporal?.close());

/** Nobody polls this queue, so a workflow on it runs until it is ended from outside. */
const start = (workflowId: string) => client.workflow.start('anything', { workflowId, taskQueue: 'nobody' });
const environment = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR') });
const wait = (env: MockActivityEnvironment, workflowId: string): Promise<void> =>
  env.run(createWaitActivities({ client }).waitForWorkflow, { workflowId });

describe('waiting for a workflow', () => {
  it('returns at once when it never was, or has closed', async () => {
    await wait(environment(), `never/${randomUUID()}`);
    const handle = await start(randomUUID());
    await handle.terminate();
    await wait(environment(), handle.workflowId);
  });

  it('returns when it closes, and not before; heartbeats meanwhile', async () => {
    const handle = await start(randomUUID());
    const env = environment();
    const beat = new Promise((resolve) => env.once('heartbeat', resolve));
    let closed = false;
    const waiting = wait(env, handle.workflowId).then(() => expect(closed).toBe(true));
    await beat;
    closed = true;
    await handle.terminate();
    await waiting;
  });

  it('does not wait for the next run of the same id', async () => {
    const first = await start(randomUUID());
    const env = environment();
    const beat = new Promise((resolve) => env.once('heartbeat', resolve));
    const waiting = wait(env, first.workflowId);
    await beat;
    await first.terminate();
    const second = await start(first.workflowId);
    await waiting;
    await second.terminate();
  });

  it('stops when it is cancelled', async () => {
    const handle = await start(randomUUID());
    const env = environment();
    const beat = new Promise((resolve) => env.once('heartbeat', resolve));
    const waiting = expect(wait(env, handle.workflowId)).rejects.toBeInstanceOf(CancelledFailure);
    await beat;
    env.cancel();
    await waiting;
    await handle.terminate();
  });
});
