import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { WorkflowFailedError, WorkflowUpdateFailedError } from '@temporalio/client';
import { type WorkflowHandle } from '@temporalio/client';
import { rootCause } from '@temporalio/common';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { decide } from '../../client/runs/decide.js';
import { provenDigest } from '../../domain/approval/proven-digest.js';
import { sha256Hex } from '../../domain/bundle/digest.js';
import { decisionDigest } from '../../domain/release/decision-digest.js';
import { validate } from '../../platform/validate.js';
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
import { freeze } from '../support/freeze.js';
import { FakeSystem } from '../support/fake-system.js';
import { FakeThresholds, OLD, withoutGates } from '../support/fake-thresholds.js';
import { OUTLASTS_A_LOST_TASK_MS, useWorkflows, type WorkflowEnvironment } from '../support/workflow-environment.js';

const MODEL = 'ulb_gbdt';
const LIVE = '20250630-120000-1.0.0-0a1b2c3';
const TOKEN = 'a token of olga';
const REFRESHED = '20250701-010000-1.0.1-0a1b2c3';

const workflows = useWorkflows();
let directory: string;
let principals: string;
let system: FakeSystem;
let fake: FakeThresholds;
let environment: WorkflowEnvironment;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-thresholds-'));
  principals = join(directory, 'principals.json');
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
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  system = new FakeSystem();
  fake = new FakeThresholds(system, principals);
  fake.goLive(LIVE);
  fake.install();
  environment = await workflows.workOn(system);
});
afterEach(() => environment.close());

let serial = 0;
async function start(overrides: ThresholdsInput['overrides'] = {}, actor = 'ada'): Promise<WorkflowHandle> {
  const key = `k${(serial += 1)}`;
  const asOf = '2025-06-30T00:00:00.000Z';
  const input: ThresholdsInput = { model: MODEL, asOf, key, caller: { actor, reason: 'weekly' }, overrides };
  return environment.client.workflow.start(WORKFLOW, {
    taskQueue: QUEUES.release,
    workflowId: thresholdsWorkflowId(MODEL, key),
    args: [input],
  });
}
const progress = (handle: WorkflowHandle) => handle.query<ThresholdsProgress>(PROGRESS_QUERY);
const result = (handle: WorkflowHandle) => handle.result() as Promise<ThresholdsResult>;

async function awaitApproval(handle: WorkflowHandle): Promise<NonNullable<ThresholdsProgress['approval']>> {
  return vi.waitFor(async () => {
    const { approval } = await progress(handle);
    if (approval === null) throw new Error('not waiting yet');
    return approval;
  }, OUTLASTS_A_LOST_TASK_MS);
}

/** Sends what any client may send, past the checks of our own. */
async function refused(handle: WorkflowHandle, decision: Record<string, unknown>): Promise<string> {
  const error = await handle.executeUpdate(DECIDE_UPDATE, { args: [decision] }).then(
    () => expect.fail('should be refused'),
    (e: unknown) => e as WorkflowUpdateFailedError,
  );
  return rootCause(error.cause) ?? error.message;
}

const as = (actor: string, verdict: 'approve' | 'reject' = 'approve', edits?: Record<string, unknown>) => ({
  verdict,
  actor,
  reason: 'the figures are fine',
  token: null,
  ...(edits === undefined ? {} : { edits }),
});
const show = 'sluice thresholds show';

/** What people are told of a run, as severity and title. */
const toldOf = ({ workflowId }: WorkflowHandle, ...expected: string[]): Promise<void> =>
  vi.waitFor(
    () =>
      expect(
        system.notifications
          .filter((one) => one.workflowId === workflowId)
          .map(({ severity, title }) => `${severity} ${title.replace(/ k\d+/, '')}`),
      ).toEqual(['warning ulb_gbdt: thresholds of waits for a decision', ...expected]),
    OUTLASTS_A_LOST_TASK_MS,
  );

async function failure(handle: WorkflowHandle): Promise<string> {
  const error = await handle.result().then(
    () => expect.fail('should have failed'),
    (e: unknown) => e as WorkflowFailedError,
  );
  return rootCause(error.cause) ?? '';
}

describe('recalibrateThresholds', () => {
  it('goes live as a second person approved it; one audit entry says who, when, why, old, new and which proposal', async () => {
    const handle = await start();
    const { digest, proposal } = await awaitApproval(handle);
    expect(system.pointer?.version).toBe(LIVE);
    const good = { decisionId: 'd1', verdict: 'approve', actor: 'grace', reason: 'fine', digest };

    expect(await refused(handle, { ...good, actor: 'ada' }), 'its requester').toMatch(
      /ada asked for this change; the model's policy wants someone else/,
    );
    expect(await refused(handle, { ...good, actor: 'cleo' }), 'the wrong role').toMatch(/needs approver/);
    expect(await refused(handle, { ...good, actor: 'nobody' })).toMatch(/not among the principals/);
    expect(await refused(handle, { ...good, digest: 'f'.repeat(64) }), 'another proposal').toMatch(
      /not that of the proposal shown now .*look at it again/,
    );
    expect(await refused(handle, { ...good, edits: { per_category: { gold: 0.5 } } })).toMatch(
      /\/edits\/per_category\/gold is no category of this model: cash, transfer/,
    );
    expect(await refused(handle, { ...good, edits: [] })).toMatch(/\/edits must be an object/);
    expect(await refused(handle, { ...good, verdict: 'reject', edits: { threshold: 0.5 } })).toMatch(/"approve" only/);
    expect(system.pointer?.version).toBe(LIVE);

    await decide(handle, as('grace'), show);
    const end = await result(handle);
    expect(end).toMatchObject({ status: 'Live', decidedBy: 'grace', generation: 2, edited: null, approval: null });
    expect(system.pointer?.version).toBe(end.bundleVersion);
    expect(fake.decides.get(end.bundleVersion as string)?.thresholds.operating.threshold).toBe(
      proposal.overall.threshold.new,
    );
    expect(fake.audit).toHaveLength(1);
    const entry = validate('audit-entry', fake.audit[0]);
    expect(entry).toMatchObject({
      actor: 'ada',
      reason: 'weekly',
      generation: 2,
      old_version: LIVE,
      change: {
        kind: 'thresholds',
        decided_by: 'grace',
        decision_reason: 'the figures are fine',
        proposal_sha256: digest,
        decided_by_identity: 'unproven',
        requested_by_identity: 'unproven',
      },
    });
    // Two people must ask and decide, and neither showed a token.
    expect(end.unproven).toEqual(['ada', 'grace']);
    expect(entry.change?.values).toContainEqual({ name: 'operating', old: 0.9, new: proposal.overall.threshold.new });
    expect(entry.change?.values?.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['operating/cash', 'operating/transfer', 'budget/0.5pct', 'budget/1pct']),
    );
    expect(fake.questions.map(({ actor, allowed }) => [actor, allowed])).toEqual([
      ['ada', true],
      ['ada', false],
      ['cleo', false],
      ['grace', true],
    ]);
    await expect(decide(handle, { ...as('grace'), digest }, show), 'late').rejects.toMatchObject({
      type: 'Conflict',
      message: expect.stringContaining('has finished'),
    });
    await toldOf(handle, 'info ulb_gbdt: thresholds of was approved by grace', 'info ulb_gbdt: thresholds of is live');
    await freeze('approved', handle);
    await freeze('approved-holding', handle);
    await freeze('approved-telling', handle);
  });

  it('goes live with the approver’s edits, their figures computed anew; the audit entry covers proposal and edits', async () => {
    const handle = await start();
    const { digest, proposal } = await awaitApproval(handle);
    const edits = { threshold: 0.77, per_category: { cash: null } };
    await decide(handle, as('grace', 'approve', edits), show);
    const end = await result(handle);
    expect(end.status).toBe('Live');
    expect(end.edited?.overall.threshold).toEqual({ old: 0.9, new: 0.77 });
    expect(end.edited?.overall.new.saved_per_day.value).not.toBe(proposal.overall.new.saved_per_day.value);
    const live = fake.decides.get(end.bundleVersion as string)?.thresholds.operating;
    expect(live?.threshold).toBe(0.77);
    expect(Object.keys(live?.per_category ?? {})).toEqual(['transfer']);
    expect(fake.audit).toHaveLength(1);
    expect(fake.audit[0]?.change).toMatchObject({ proposal_sha256: provenDigest(digest, edits), decided_by: 'grace' });
    expect(fake.audit[0]?.change?.values).toContainEqual({ name: 'operating', old: 0.9, new: 0.77 });
    expect(fake.questions.at(-1)).toMatchObject({ actor: 'grace', digest, edits });
    await freeze('edited', handle);
  });

  describe('where the proposal misses gates of the releases', () => {
    beforeEach(() => {
      fake.spec = (spec) => {
        spec.gates = [
          { metric: 'precision', min: 0.9 },
          { metric: 'recall', min: 0.1 },
          { metric: 'alert_rate', max: 0.0001 },
          { metric: 'auc_roc', min: 0.99 },
        ];
      };
    });
    const missed = ['precision', 'alert_rate'];

    it('goes live when somebody who may overrides exactly those; digest, record and audit entry have it', async () => {
      const handle = await start();
      const { digest, proposal } = await awaitApproval(handle);
      expect(proposal.gates?.map(({ gate, passed }) => [gate, passed])).toEqual([
        ['precision', false],
        ['recall', true],
        ['alert_rate', false],
      ]);
      expect(decisionDigest(proposal)).toBe(digest);
      const { gates: _gates, ...silent } = proposal;
      expect(decisionDigest(silent)).not.toBe(digest);

      const before = fake.questions.length;
      const good = { decisionId: 'd1', verdict: 'approve', actor: 'grace', reason: 'fine', digest };
      expect(await refused(handle, good)).toMatch(
        /misses 2 gates of the model's releases \(precision is 0\.\d+, .*"overrides": \["precision","alert_rate"\].* --override precision --override alert_rate/,
      );
      expect(await refused(handle, { ...good, overrides: ['precision'] })).toMatch(/override exactly those/);
      expect(await refused(handle, { ...good, overrides: [...missed, 'recall'] })).toMatch(
        /^\/overrides names recall, which this proposal does not miss/,
      );
      expect(await refused(handle, { ...good, overrides: 'precision' })).toMatch(/\/overrides must be a list/);
      expect(await refused(handle, { ...good, verdict: 'reject', overrides: missed })).toMatch(/"approve" only/);
      // By the validator: nobody was asked, and history has nothing of it.
      expect(fake.questions).toHaveLength(before);
      expect(await refused(handle, { ...good, overrides: missed }), 'an approver').toMatch(
        /this overrides gates of the model's spec \(precision, alert_rate\): grace holds the role approver, and this needs overrider/,
      );
      expect(await refused(handle, { ...good, actor: 'olga', overrides: missed }), 'a name').toMatch(/SLUICE_TOKEN/);
      expect(system.pointer?.version).toBe(LIVE);

      await decide(handle, { ...as('olga'), token: TOKEN, overrides: missed }, show);
      const end = await result(handle);
      expect(end.status).toBe('Live');
      const record = [
        { name: 'gates.precision', old: '≥ 0.9000', new: expect.any(Number), weakens: true },
        { name: 'gates.alert_rate', old: expect.stringContaining('≤'), new: expect.any(Number), weakens: true },
      ];
      expect(end.overrides).toEqual(record);
      expect(fake.questions.at(-1)).toMatchObject({ actor: 'olga', allowed: true, overriddenGates: missed });
      const entry = validate('audit-entry', fake.audit[0]);
      expect(entry.change).toMatchObject({
        decided_by: 'olga',
        decided_by_identity: 'proven',
        overrides: record,
        proposal_sha256: provenDigest(digest, null, missed),
      });
      await freeze('overridden', handle);
    });

    it('judges edits by their own figures, before the decision counts', async () => {
      const handle = await start();
      const { digest } = await awaitApproval(handle);
      // Everything is an alert.
      const edits = { threshold: 0, per_category: { cash: null, transfer: null } };
      const good = { decisionId: 'e1', verdict: 'approve', actor: 'grace', reason: 'fine', digest, edits };
      expect(await refused(handle, { ...good, overrides: ['auc_roc'] })).toMatch(
        /auc_roc, which is no gate of this proposal: precision, recall, alert_rate/,
      );
      expect(await refused(handle, good)).toMatch(
        /the edited proposal misses 2 gates of the model's releases \(precision is 0\.0\d*, .*alert_rate is 1, /,
      );
      expect((await progress(handle)).status).toBe('WaitingForApproval');
      const { approval } = await progress(handle);
      expect(approval?.digest).toBe(digest);
      await decide(handle, { ...as('grace', 'reject') }, show);
      expect(await result(handle)).toMatchObject({ status: 'Rejected' });
    });

    it('needs no override where the edits miss nothing', async () => {
      fake.spec = (spec) => (spec.gates = [{ metric: 'alert_rate', max: 0.05 }]);
      const handle = await start();
      await awaitApproval(handle);
      await expect(decide(handle, as('grace'), show)).rejects.toThrow(/--override alert_rate/);
      const edits = { threshold: 1, per_category: { cash: null, transfer: null } };
      await decide(handle, as('grace', 'approve', edits), show);
      const end = await result(handle);
      expect(end).toMatchObject({ status: 'Live', gates: [{ gate: 'alert_rate', passed: true }] });
      expect(end.overrides).toBeUndefined();
    });
  });

  it('two decisions at once: one counts, the other is told so', async () => {
    const handle = await start();
    await awaitApproval(handle);
    const sent = await Promise.allSettled([
      decide(handle, as('grace'), show),
      decide(handle, as('ada', 'reject'), show),
    ]);
    const lost = sent.filter((one) => one.status === 'rejected');
    expect(lost).toHaveLength(1);
    expect(String((lost[0] as PromiseRejectedResult).reason)).toMatch(
      /decided already|has finished|not waiting|nothing waits/,
    );
    const { status } = await result(handle);
    expect(status).toBe(sent[0].status === 'fulfilled' ? 'Live' : 'Rejected');
  });

  it('ends as Rejected, with the reason, and changes nothing', async () => {
    const handle = await start();
    await awaitApproval(handle);
    await decide(handle, as('grace', 'reject'), show);
    expect(await result(handle)).toMatchObject({
      status: 'Rejected',
      why: 'rejected by grace: the figures are fine',
      bundleVersion: null,
    });
    expect(system.pointer?.version).toBe(LIVE);
    expect(fake.audit).toEqual([]);
    await toldOf(handle, 'info ulb_gbdt: thresholds of was rejected by grace');
    await freeze('rejected', handle);
  });

  it('ends as Expired when nobody decides, and takes no decision after that', async () => {
    const handle = await start({ deadlineSeconds: 1 });
    const { digest } = await awaitApproval(handle);
    expect(await result(handle)).toMatchObject({ status: 'Expired', why: 'no decision before the deadline' });
    await expect(decide(handle, { ...as('grace'), digest }, show)).rejects.toThrow('has finished');
    await expect(decide(handle, as('grace'), show)).rejects.toThrow('this run is not waiting for a decision');
    expect(fake.audit).toEqual([]);
    await toldOf(handle, 'warning ulb_gbdt: nobody decided on thresholds of in time');
    await freeze('expired', handle);
  });

  it('keeps the lookups that went live while it waited', async () => {
    const handle = await start();
    await awaitApproval(handle);
    fake.goLive(REFRESHED);
    await decide(handle, as('grace'), show);
    const end = await result(handle);
    expect(end.status).toBe('Live');
    expect(system.bundles.get(end.bundleVersion as string)?.parentVersion).toBe(REFRESHED);
  });

  it.each([
    ['thresholds', { ...OLD, operating: { threshold: 0.8, per_category: {} } }, '1', /live thresholds have changed/],
    ['model', OLD, '2', /model version 2 is live, and the thresholds were made for 1/],
  ])('is superseded by another %s: nobody approved these for it', async (what, thresholds, modelVersion, why) => {
    const handle = await start();
    await awaitApproval(handle);
    fake.goLive(REFRESHED, thresholds, modelVersion);
    await decide(handle, as('grace'), show);
    const end = await result(handle);
    expect(end).toMatchObject({ status: 'Superseded', why: expect.stringMatching(why) });
    expect(system.pointer?.version).toBe(REFRESHED);
    expect(fake.audit).toEqual([]);
    await toldOf(
      handle,
      'info ulb_gbdt: thresholds of was approved by grace',
      'warning ulb_gbdt: thresholds of was superseded and is not live',
    );
    if (what === 'thresholds') await freeze('superseded', handle);
    if (what === 'thresholds') await freeze('superseded-telling', handle);
  });

  it('composes anew when a refresh takes the pointer at the very moment of the swap', async () => {
    const handle = await start();
    await awaitApproval(handle);
    system.beforeSwap = () => Promise.resolve(fake.goLive(REFRESHED));
    await decide(handle, as('grace'), show);
    const end = await result(handle);
    expect(end).toMatchObject({ status: 'Live', generation: 3 });
    expect(system.bundles.get(end.bundleVersion as string)?.parentVersion).toBe(REFRESHED);
    expect(fake.audit).toHaveLength(1);
  });

  it('fails when the rollout is undone; the undo has its own entry and claims no approval', async () => {
    system.smokeFails = (version) => version.startsWith('thresholds-');
    const handle = await start();
    await awaitApproval(handle);
    await decide(handle, as('grace'), show);
    expect(await failure(handle)).toMatch(/vector 3 differs.*is live/);
    expect(system.pointer?.version).toBe(LIVE);
    expect(fake.audit.map(({ change }) => change?.kind ?? null)).toEqual(['thresholds', null]);
    await toldOf(
      handle,
      'info ulb_gbdt: thresholds of was approved by grace',
      'critical ulb_gbdt: thresholds of failed as it went live',
    );
    await freeze('rolled-back', handle);
  });

  it('never asks for a decision without feedback, for nothing, or under a policy that asks nobody', async () => {
    fake.enoughFeedback = false;
    const blind = await start();
    expect(await result(blind)).toMatchObject({
      status: 'NotEnoughFeedback',
      why: expect.stringContaining('not enough feedback'),
      approval: null,
    });
    // Handed over: no channel that is down holds up the run, and with it the schedule.
    const { events } = await blind.fetchHistory();
    expect(events?.map((event) => event.activityTaskScheduledEventAttributes?.activityType?.name)).not.toContain(
      'notify',
    );
    await freeze('not-enough-feedback', blind);
    // Told once, until it changes: the notification's key is the same the next week.
    expect(await result(await start())).toMatchObject({ status: 'NotEnoughFeedback' });
    await vi.waitFor(() => expect(system.notifications).toHaveLength(1), OUTLASTS_A_LOST_TASK_MS);
    expect(system.notifications[0]).toMatchObject({
      severity: 'info',
      title: `${MODEL}: not enough feedback for new thresholds`,
    });

    system.pointer = null;
    const unborn = await start();
    expect(await result(unborn)).toMatchObject({
      status: 'NothingLive',
      why: expect.stringContaining('release start'),
    });
    expect(await result(await start())).toMatchObject({ status: 'NothingLive' });
    await vi.waitFor(
      () => expect(system.alerts.slice(1)).toEqual([`${MODEL}: nothing is live yet`]),
      OUTLASTS_A_LOST_TASK_MS,
    );
    await freeze('nothing-live', unborn);
    fake.goLive(LIVE);

    fake.enoughFeedback = true;
    fake.spec = (spec) => (spec.recalibration.approval.policy = 'auto');
    expect(await failure(await start())).toMatch(/policy must be manual/);

    fake.spec = withoutGates;
    const first = await start();
    await awaitApproval(first);
    await decide(first, as('grace'), show);
    const { bundleVersion } = await result(first);
    const again = await start();
    expect(await result(again)).toMatchObject({ status: 'Unchanged' });
    expect(system.pointer).toMatchObject({ version: bundleVersion });
    await freeze('unchanged', again);
  });

  it('changes nothing when it is cancelled, or asked for by somebody who may not', async () => {
    const cancelled = await start();
    await awaitApproval(cancelled);
    await cancelled.cancel();
    await expect(cancelled.result()).rejects.toThrow('cancelled');
    await freeze('cancelled', cancelled);
    const refusedRun = await start({}, 'grace');
    expect(await failure(refusedRun)).toMatch(/needs requester/);
    await freeze('refused', refusedRun);
    expect(system.pointer?.version).toBe(LIVE);
    // Whoever cancelled it, or was refused, knows it.
    expect(system.alerts.filter((title) => !title.includes('waits for a decision'))).toEqual([]);
  });
});
