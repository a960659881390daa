import { createServer, type Server } from 'node:net';
import type { WorkflowHandle } from '@temporalio/client';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { mailChannel } from '../../activities/notification/mail.js';
import { createNotifyActivities } from '../../activities/notification/notify.js';
import { createDeliveryLedger } from '../../stores/notification-ledger.js';
import type { Mongo } from '../../platform/mongo.js';
import { DECIDE_UPDATE } from '../../workflows/approval/contract.js';
import { PROGRESS_QUERY } from '../../workflows/common/contract.js';
import { QUEUES } from '../../workflows/common/queues.js';
import type { ReleaseOverrides } from '../../schemas/types.js';
import type { ReleaseProgress, ReleaseResult } from '../../workflows/releaseModel/contract.js';
import { startMail } from '../support/alert-servers.js';
import { FakeSystem } from '../support/fake-system.js';
import { testMongo } from '../support/servers.js';
import { useWorkflows, type WorkflowEnvironment } from '../support/workflow-environment.js';

// What a release tells people, by a real mail server and a ledger in a real MongoDB: at once, or when the mail server is back.
const workflows = useWorkflows(['temporal', 'mongo']);
let mongo: Mongo;
let mail: Awaited<ReturnType<typeof startMail>>;
let environment: WorkflowEnvironment;

beforeEach(async () => {
  [mail, mongo] = await Promise.all([startMail(), testMongo(workflows.env, 'notifications')]);
  const fake = new FakeSystem();
  fake.goLive('20250615-120000-1.0.0-0a1b2c3');
  const mailing = mailChannel({ url: mail.url, from: 'sluice@example.com', to: 'risk@example.com', timeoutMs: 400 });
  Object.assign(
    fake.activities,
    createNotifyActivities({
      local: [],
      channels: [mailing],
      ledger: createDeliveryLedger(mongo.db),
      pageOf: (workflowId) => `http://ui/${workflowId}`,
      log: pino({ enabled: false }),
    }),
  );
  environment = await workflows.workOn(fake);
});
afterEach(async () => {
  await environment.close();
  await Promise.all([mail.close(), mongo.close()]);
});

function start(releaseId: string, overrides: ReleaseOverrides): Promise<WorkflowHandle> {
  const asked = {
    model: 'ulb_gbdt',
    releaseId,
    asOf: '2025-06-30T00:00:00.000Z',
    caller: { actor: 'ada', reason: 'a test' },
  };
  return environment.client.workflow.start('releaseModel', {
    taskQueue: QUEUES.release,
    workflowId: `release/ulb_gbdt/${releaseId}`,
    args: [{ ...asked, overrides }],
  });
}
/** Decides as soon as the run can be decided, without waiting for any mail. */
async function approve(handle: WorkflowHandle): Promise<void> {
  const digest = await vi.waitFor(async () => {
    const { approval } = await handle.query<ReleaseProgress>(PROGRESS_QUERY);
    if (approval === null) throw new Error('not waiting yet');
    return approval.digest;
  }, 60_000);
  const decision = { decisionId: 'd', verdict: 'approve', actor: 'grace', reason: 'figures are fine', digest };
  await handle.executeUpdate(DECIDE_UPDATE, { args: [decision] });
}
const subjects = (): string[] => mail.mails.map((text) => /^Subject: (.*)\r$/m.exec(text)?.[1] ?? '');

describe('a mail', () => {
  it('of an approval that nobody has opened is there within seconds, with the table and the command', async () => {
    const handle = await start('m1', { policy: 'manual' });
    await vi.waitUntil(() => mail.mails.length > 0, { timeout: 60_000, interval: 20 });
    const arrived = Date.now();
    const { status, steps } = await handle.query<ReleaseProgress>(PROGRESS_QUERY);
    expect(status).toBe('WaitingForApproval');
    const opened = steps.find(({ name }) => name === 'promote')?.startedAt ?? '';
    expect(arrived - Date.parse(opened)).toBeLessThan(5_000);
    expect(subjects()).toEqual(['[sluice warning] ulb_gbdt: release m1 waits for a decision']);
    // quoted-printable breaks long lines
    const text = (mail.mails[0] ?? '').replaceAll('=\r\n', '');
    expect(text).toMatch(/^figure +candidate +champion +difference +required +passed/m);
    expect(text).toContain('sluice release approve m1 --reason WHY');
    expect(text).toContain('http://ui/release/ulb_gbdt/m1');
    await handle.terminate();
  });

  it.each(['is gone', 'takes calls and says nothing'])(
    'comes when the server is back that %s, and the release has not waited',
    async (how) => {
      const port = Number(new URL(mail.url).port);
      await mail.close();
      const silent = how === 'is gone' ? null : await listen(port);
      const releaseId = silent === null ? 'gone' : 'silent';
      const handle = await start(releaseId, { policy: 'manual' });
      try {
        await approve(handle);
        expect(await (handle.result() as Promise<ReleaseResult>)).toMatchObject({ status: 'Released' });
        const { events } = await handle.fetchHistory();
        const asked = events?.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name);
        expect(asked).not.toContain('notify');
        expect(asked).not.toContain('deliverNotification');
      } finally {
        await close(silent);
        mail = await startMail(port);
      }
      expect(subjects()).toEqual([]);
      const about = () => subjects().filter((subject) => subject.includes(`release ${releaseId} `));
      await vi.waitUntil(() => about().length >= 3, { timeout: 100_000, interval: 100 });
      expect(about().sort()).toEqual([
        `[sluice info] ulb_gbdt: release ${releaseId} is live`,
        `[sluice info] ulb_gbdt: release ${releaseId} was approved by grace`,
        `[sluice warning] ulb_gbdt: release ${releaseId} waits for a decision`,
      ]);
    },
  );
});

/** A server that has hung. */
async function listen(port: number): Promise<Server> {
  const server = createServer((socket) => void socket.on('error', () => undefined));
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return server;
}

async function close(server: Server | null): Promise<void> {
  if (server !== null) await new Promise((resolve) => server.close(resolve));
}
