import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowHandle } from '@temporalio/client';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sha256Hex } from '../../domain/bundle/digest.js';
import { DECIDE_UPDATE } from '../../workflows/approval/contract.js';
import { QUEUES } from '../../workflows/common/queues.js';
import { PROGRESS_QUERY } from '../../workflows/common/contract.js';
import {
  thresholdsWorkflowId,
  WORKFLOW,
  type ThresholdsInput,
  type ThresholdsProgress,
  type ThresholdsResult,
} from '../../workflows/recalibrateThresholds/contract.js';
import { ensureBuilt } from '../support/build.js';
import { Cli } from '../support/cli.js';
import { FakeSystem } from '../support/fake-system.js';
import { FakeThresholds, withoutGates } from '../support/fake-thresholds.js';
import { startBrowser, WorkflowPage } from '../support/temporal-ui.js';
import { OUTLASTS_A_LOST_TASK_MS, useWorkflows, type WorkflowEnvironment } from '../support/workflow-environment.js';

// A person decides: in the real Temporal UI, driven by a real browser, and with the real command. Everything behind the workflow is in memory.
const MODEL = 'ulb_gbdt';
const TOKEN = 'a token of olga';

const browser = await startBrowser();

const workflows = useWorkflows(['temporal', 'mongo']);
let directory: string;
let fake: FakeThresholds;
let environment: WorkflowEnvironment;
let cliEnv: Record<string, string>;
let cli: Cli;

beforeAll(async () => {
  await ensureBuilt();
  directory = await mkdtemp(join(tmpdir(), 'sluice-decide-'));
  const principals = join(directory, 'principals.json');
  await writeFile(
    principals,
    JSON.stringify({
      principals: [
        { name: 'ada', roles: ['requester', 'approver'] },
        { name: 'grace', roles: ['approver'] },
        { name: 'cleo', roles: ['requester'] },
        { name: 'olga', roles: ['approver', 'overrider'], token_sha256: sha256Hex(TOKEN) },
      ],
    }),
  );
  const system = new FakeSystem();
  fake = new FakeThresholds(system, principals);
  fake.install();
  environment = await workflows.workOn(system);
  // Deciding speaks to Temporal alone, a list to the audit log as well: of the rest, only addresses have to be there.
  const nowhere = 'http://127.0.0.1:1';
  cliEnv = {
    S3_ENDPOINT: nowhere,
    S3_ACCESS_KEY_ID: 'none',
    S3_SECRET_ACCESS_KEY: 'none',
    MLFLOW_TRACKING_URI: nowhere,
    ...workflows.env,
  };
  cli = new Cli(directory, cliEnv);
}, 120_000);
afterAll(async () => {
  await browser?.close();
  await environment?.close();
  await rm(directory, { recursive: true, force: true });
});

let serial = 0;
/** A proposal that waits, against thresholds that are live; asked for by ada. */
async function waiting(overrides: ThresholdsInput['overrides'] = {}) {
  serial += 1;
  fake.goLive(`2025063${serial}-120000-1.0.0-0a1b2c3`);
  const key = `2025-06-0${serial}`;
  const input: ThresholdsInput = {
    model: MODEL,
    asOf: `${key}T00:00:00.000Z`,
    key,
    caller: { actor: 'ada', reason: 'weekly' },
    overrides,
  };
  const handle = await environment.client.workflow.start(WORKFLOW, {
    taskQueue: QUEUES.release,
    workflowId: thresholdsWorkflowId(MODEL, key),
    args: [input],
  });
  const { digest } = await vi.waitFor(async () => {
    const { approval } = await handle.query<ThresholdsProgress>(PROGRESS_QUERY);
    if (approval === null) throw new Error('not waiting yet');
    return approval;
  }, OUTLASTS_A_LOST_TASK_MS);
  return { key, handle, digest };
}
const result = (handle: WorkflowHandle) => handle.result() as Promise<ThresholdsResult>;

function open({ workflowId }: WorkflowHandle): Promise<WorkflowPage> {
  const { TEMPORAL_UI_URL: base, TEMPORAL_NAMESPACE: namespace } = workflows.env;
  return WorkflowPage.open(
    browser as Browser,
    `${base}/namespaces/${namespace}/workflows/${encodeURIComponent(workflowId)}`,
  );
}

/** The JSON to send, copied from the page and filled in by hand. */
function decisionFrom({ code }: { code: string }, actor: string, verdict: 'approve' | 'reject' = 'approve'): object {
  return { ...(JSON.parse(code) as object), actor, verdict, reason: 'seen in the UI' };
}

describe.skipIf(browser === null)('in the Temporal UI', () => {
  it('shows the proposal as a diff, refuses its requester with the reason, and takes another’s approval', async () => {
    const { handle } = await waiting();
    const page = await open(handle);
    const details = await page.details();
    expect(details.text).toMatch(/To decide by 20/);
    expect(details.text).toMatch(/0\.9\s*→\s*0\.\d+/);
    expect(details.text).toContain('saved a day');

    await page.fillUpdate(DECIDE_UPDATE, decisionFrom(details, 'ada'));
    expect(await page.submit()).toMatch(
      /ada asked for this change; the model's policy wants someone else to approve it/,
    );
    await page.closeForm();
    await page.fillUpdate(DECIDE_UPDATE, decisionFrom(details, 'grace'));
    expect(await page.submit()).toBeNull();
    expect(await result(handle)).toMatchObject({
      status: 'Live',
      decidedBy: 'grace',
      decisionReason: 'seen in the UI',
    });
    expect(fake.audit.at(-1)?.change).toMatchObject({ kind: 'thresholds', decided_by: 'grace' });
    await page.close();
  }, 120_000);

  /** as this machine is today */
  let filledInSeconds = 10;
  it('takes a rejection', async () => {
    const { handle } = await waiting();
    const startedAt = Date.now();
    const page = await open(handle);
    await page.fillUpdate(DECIDE_UPDATE, decisionFrom(await page.details(), 'grace', 'reject'));
    filledInSeconds = (Date.now() - startedAt) / 1000;
    expect(await page.submit()).toBeNull();
    expect(await result(handle)).toMatchObject({ status: 'Rejected', why: 'rejected by grace: seen in the UI' });
    await page.close();
  }, 120_000);

  it('refuses an approval that was filled in in time and sent after the deadline', async () => {
    const before = fake.audit.length;
    const { handle, digest } = await waiting({ deadlineSeconds: Math.ceil(10 + 3 * filledInSeconds) });
    const page = await open(handle);
    const late = { decisionId: 'late', verdict: 'approve', actor: 'grace', reason: 'too late', digest };
    await page.fillUpdate(DECIDE_UPDATE, late);
    expect(await result(handle)).toMatchObject({ status: 'Expired' });
    expect(await page.submit()).toMatch(/already completed|not found|deadline/i);
    expect(fake.audit).toHaveLength(before);
    await page.close();
  }, 120_000);
});

describe('with the command', () => {
  it('refuses its requester and the wrong role, takes another’s approval with edits, and no second one', async () => {
    const { key, handle, digest } = await waiting();
    const decide = (actor: string, ...rest: string[]) =>
      cli.run('thresholds', 'approve', key, '--reason', 'fine', '--actor', actor, ...rest);
    const shown = await cli.run('thresholds', 'show', key);
    expect(shown.stdout).toMatch(/threshold +0\.9 +0\.\d+/);
    expect(shown.stdout).toContain(digest);

    expect(await decide('ada')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('wants someone else') });
    expect(await decide('cleo')).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('needs approver') });
    expect(await decide('grace', '--digest', 'f'.repeat(64))).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('look at it again'),
    });
    const edits = join(directory, 'edits.json');
    await writeFile(edits, '{"threshold": 0.77, "per_category": {"cash": 2}}');
    expect(await decide('grace', '--edits', edits)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('/edits/per_category/cash must be a number from 0 to 1'),
    });
    await writeFile(edits, '{"threshold": 0.77, "per_category": {"cash": null}}');
    expect(await decide('grace', '--edits', edits, '--json')).toMatchObject({
      exitCode: 0,
      json: { key, verdict: 'approve', actor: 'grace', digest },
    });
    expect(await result(handle)).toMatchObject({ status: 'Live', edited: { overall: { threshold: { new: 0.77 } } } });
    expect(await decide('grace')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('not waiting for a decision'),
    });
    expect(await cli.run('thresholds', 'show', key)).toMatchObject({
      exitCode: 0,
      stdout: expect.stringContaining('approved with edits'),
    });
  }, 120_000);

  it('shows what the gates of the releases say, and takes an approval only with those that are missed, from who may', async () => {
    fake.spec = (spec) => (spec.gates = [{ metric: 'precision', min: 0.99 }]);
    const { key, handle } = await waiting().finally(() => (fake.spec = withoutGates));
    const decide = (actor: string, env: Record<string, string>, ...rest: string[]) =>
      new Cli(directory, { ...cliEnv, ...env }).run(
        ...['thresholds', 'approve', key, '--reason', 'fine', '--actor', actor, ...rest],
      );
    const shown = await cli.run('thresholds', 'show', key);
    expect(shown.stdout).toMatch(/precision +≥ 0\.9900 +\S+ +0\.\d+ +NO/);
    expect(shown.stdout).toContain(`sluice thresholds approve ${key} --reason TEXT --override precision`);
    expect(await decide('grace', {})).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/misses a gate of the model's releases .* --override precision/),
    });
    const override = ['--override', 'precision'];
    expect(await decide('grace', {}, ...override)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('this needs overrider'),
    });
    expect(await decide('olga', { SLUICE_TOKEN: TOKEN }, ...override)).toMatchObject({ exitCode: 0 });
    expect(await result(handle)).toMatchObject({ status: 'Live', decidedBy: 'olga' });
    expect((await cli.run('thresholds', 'show', key)).stdout).toMatch(
      /for this run only: gates\.precision: ≥ 0\.9900 → 0\.\d+ \(weaker\)/,
    );
  }, 120_000);

  it('takes a rejection, refuses a decision after the deadline, and lists how each ended', async () => {
    const [rejected, expired] = [await waiting(), await waiting({ deadlineSeconds: 1 })];
    const reject = await cli.run('thresholds', 'reject', rejected.key, '--reason', 'no', '--actor', 'grace');
    expect(reject).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('rejected') });
    expect(await result(rejected.handle)).toMatchObject({ status: 'Rejected' });
    expect(await result(expired.handle)).toMatchObject({ status: 'Expired' });
    const late = ['--reason', 'late', '--actor', 'grace', '--digest', expired.digest];
    expect(await cli.run('thresholds', 'approve', expired.key, ...late)).toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('has finished'),
    });
    expect(await cli.run('thresholds', 'show', expired.key)).toMatchObject({ exitCode: 4 });
    expect(await cli.run('thresholds', 'show', 'nothing-such')).toMatchObject({ exitCode: 7 });
    const { stdout } = await vi.waitFor(async () => {
      const list = await cli.run('thresholds', 'list');
      if (!list.stdout.includes('Expired')) throw new Error(`not visible yet: ${list.stdout}${list.stderr}`);
      return list;
    }, OUTLASTS_A_LOST_TASK_MS);
    expect(stdout).toContain('Rejected');
  }, 120_000);
});
