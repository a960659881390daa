import { HOLDS_ATTRIBUTE, MODEL_ATTRIBUTE, STATUS_ATTRIBUTE } from '../../domain/runs/search-attributes.js';
import { WorkflowFailedError, WorkflowUpdateFailedError, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, defaultPayloadConverter, rootCause } from '@temporalio/common';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { QUEUES } from '../../workflows/common/queues.js';
import { readProgress } from '../../client/runs/access.js';
import { DECIDE_UPDATE } from '../../workflows/approval/contract.js';
import { flattenSteps } from '../../workflows/common/progress.js';
import { PROGRESS_QUERY } from '../../workflows/common/contract.js';
import {
  releaseWorkflowId,
  type ReleaseInput,
  type ReleaseProgress,
  type ReleaseResult,
} from '../../workflows/releaseModel/contract.js';
import { rolloutId } from '../../workflows/rolloutBundle/contract.js';
import {
  rollbackWorkflowId,
  type RollbackInput,
  type RollbackResult,
} from '../../workflows/rollbackRelease/contract.js';
import type { Cli } from '../../client/cli.js';
import { rollbackCommand } from '../../client/commands/rollback.js';
import { exitCodeOfFailure } from '../../client/exit-codes.js';
import type { Session } from '../../client/session.js';
import { SluiceError } from '../../platform/errors.js';
import { projectPath } from '../../platform/project.js';
import { decisionDigest } from '../../domain/release/decision-digest.js';
import type { ReleaseOverrides } from '../../schemas/types.js';
import type { RolloutInput } from '../../workflows/rolloutBundle/contract.js';
import { freeze } from '../support/freeze.js';
import { FakeSystem } from '../support/fake-system.js';
import { OUTLASTS_A_LOST_TASK_MS, useWorkflows, type WorkflowEnvironment } from '../support/workflow-environment.js';

const workflows = useWorkflows();
let fake: FakeSystem;
let environment: WorkflowEnvironment;

beforeEach(async () => {
  fake = new FakeSystem();
  environment = await workflows.workOn(fake);
});
afterEach(() => environment.close());

let serial = 0;
async function start(
  overrides: ReleaseOverrides = {},
  asOf = '2025-06-30T00:00:00.000Z',
  actor = 'ada',
): Promise<WorkflowHandle> {
  const releaseId = `r${(serial += 1)}`;
  const caller = { actor, reason: 'a test' };
  const input: ReleaseInput = { model: 'ulb_gbdt', releaseId, asOf, caller, overrides };
  return environment.client.workflow.start('releaseModel', {
    taskQueue: QUEUES.release,
    workflowId: releaseWorkflowId('ulb_gbdt', releaseId),
    args: [input],
  });
}
const result = (handle: WorkflowHandle) => handle.result() as Promise<ReleaseResult>;
/** The run's page in the Temporal UI. */
const page = async (handle: WorkflowHandle): Promise<string> =>
  (await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata')).currentDetails;
const progress = (handle: WorkflowHandle) => handle.query<ReleaseProgress>(PROGRESS_QUERY);
/** What a run says of itself to whoever asks the server: held bundles, status, model. */
async function attributes(handle: WorkflowHandle) {
  const { typedSearchAttributes: said } = await handle.describe();
  return [said.get(HOLDS_ATTRIBUTE), said.get(STATUS_ATTRIBUTE), said.get(MODEL_ATTRIBUTE)];
}

async function failure(handle: WorkflowHandle): Promise<{ message: string; type: string | undefined }> {
  const error = await handle.result().then(
    () => expect.fail('the release should have failed'),
    (e: unknown) => e as WorkflowFailedError,
  );
  let cause = error.cause as { type?: string; cause?: unknown };
  while (cause.type === undefined && cause.cause !== undefined) cause = cause.cause as typeof cause;
  return { message: rootCause(error.cause) ?? '', type: cause.type };
}

async function awaitApproval(handle: WorkflowHandle): Promise<NonNullable<ReleaseProgress['approval']>> {
  return vi.waitFor(async () => {
    const { approval } = await progress(handle);
    if (approval === null) throw new Error('not waiting yet');
    return approval;
  }, OUTLASTS_A_LOST_TASK_MS);
}

const rolloutHandle = async (): Promise<WorkflowHandle> => {
  const { runId } = await environment.client.workflow.getHandle(rolloutId('ulb_gbdt', 'production')).describe();
  return environment.client.workflow.getHandle(rolloutId('ulb_gbdt', 'production'), runId);
};

/** A release may need several rollouts: the one that lost the race. */
async function firstRolloutOf(release: WorkflowHandle): Promise<WorkflowHandle> {
  const { events } = await release.fetchHistory();
  const started = (events ?? []).flatMap((event) => event.childWorkflowExecutionStartedEventAttributes ?? []);
  const rollout = started.find(({ workflowType }) => workflowType?.name === 'rolloutBundle')?.workflowExecution;
  return environment.client.workflow.getHandle(rollout?.workflowId ?? '', rollout?.runId ?? '');
}

/** Notifications are under way for a moment after the run that they are about. */
const eventually = (check: () => void): Promise<void> => vi.waitFor(check, OUTLASTS_A_LOST_TASK_MS);

describe('releaseModel', () => {
  it('goes live under the policy auto, with every step done and its name kept', async () => {
    const handle = await start();
    const end = await result(handle);
    expect(end).toMatchObject({ status: 'Released', generation: 1, modelVersion: '1' });
    expect(flattenSteps(end.steps).map(({ path, step: { status } }) => `${path}: ${status}`)).toEqual(
      [
        'snapshot',
        'validate data',
        'train',
        'evaluate',
        'register',
        'promote',
        'export',
        'rollout',
        'rollout / verify',
        'rollout / pointer swap',
        'rollout / reload',
        'rollout / smoke',
        'champion',
        'report',
      ].map((name) => `${name}: done`),
    );
    expect(fake.pointer?.version).toBe(end.bundleVersion);
    expect(fake.registry.get('1')?.stage).toBe('Production');
    expect(Object.fromEntries(fake.aliases)).toEqual({ champion: '1' });
    expect(fake.reports).toHaveLength(1);
    const rollout = await rolloutHandle();
    expect(await attributes(handle)).toEqual([[end.bundleVersion], 'Released', end.model]);
    expect(await attributes(rollout)).toEqual([[end.bundleVersion], 'Successful', end.model]);
    await freeze('released', handle, rollout);
    await freeze('released-holding', handle, rollout);
  });

  it('shows the steps of its rollout while that runs', async () => {
    let swap = (): void => {};
    // one for every attempt: a busy machine may let the first run into its timeout
    const held = new Promise<void>((resolve) => (swap = resolve));
    fake.beforeSwap = () => held;
    const handle = await start();
    const shown = async (): Promise<string[]> =>
      flattenSteps((await readProgress<ReleaseProgress>(handle)).steps).flatMap(({ path, step: { status } }) =>
        path.startsWith('rollout') ? [`${path}: ${status}`] : [],
      );
    try {
      await vi.waitFor(
        async () =>
          expect(await shown()).toEqual([
            'rollout: running',
            'rollout / verify: done',
            'rollout / pointer swap: running',
            'rollout / reload: pending',
            'rollout / smoke: pending',
          ]),
        60_000,
      );
    } finally {
      swap();
    }
    await result(handle);
    expect((await shown()).at(-1)).toBe('rollout / smoke: done');
  });

  it('tells at once that a decision is awaited, with the table and the command; then who decided, and that it is live', async () => {
    await result(await start());
    const handle = await start({ policy: 'manual' });
    const { digest, deadline } = await awaitApproval(handle);
    const id = handle.workflowId.split('/')[2] ?? '';
    const about = () => fake.notifications.filter(({ workflowId }) => workflowId === handle.workflowId);
    await eventually(() => expect(about()).toHaveLength(1));
    expect(about()[0]).toMatchObject({
      severity: 'warning',
      title: `ulb_gbdt: release ${id} waits for a decision`,
      text: expect.stringMatching(/^figure +candidate +champion +difference +required +passed$/m),
      whatToDo: `Decide by ${deadline}: \`sluice release approve ${id} --reason WHY\` or \`sluice release reject ${id} --reason WHY\`.`,
    });
    expect(about()[0]?.text).toMatch(/^auc_pr +0\.8000 +0\.8000 +0 +≥ .* \(by the champion\) +yes$/m);
    const decision = { decisionId: 'd', verdict: 'approve', actor: 'grace', reason: 'figures are fine', digest };
    await handle.executeUpdate(DECIDE_UPDATE, { args: [decision] });
    await result(handle);
    await eventually(() =>
      expect(about().map(({ severity, title }) => `${severity} ${title}`)).toEqual([
        `warning ulb_gbdt: release ${id} waits for a decision`,
        `info ulb_gbdt: release ${id} was approved by grace`,
        `info ulb_gbdt: release ${id} is live`,
      ]),
    );
    await freeze('approved-telling', handle);
    const { runId } = await handle.describe();
    const telling = `notification/${handle.workflowId}/${runId}/approval-opened`;
    await freeze('delivered', environment.client.workflow.getHandle(telling));
    // The timeline reads as the runbook: whatever is scheduled says in words what it is.
    const { events } = await handle.fetchHistory();
    const scheduled = (events ?? []).filter(
      (event) => event.activityTaskScheduledEventAttributes ?? event.timerStartedEventAttributes,
    );
    const words = scheduled.map(({ userMetadata }) =>
      String(defaultPayloadConverter.fromPayload(userMetadata?.summary ?? {})),
    );
    expect(words).toEqual(
      expect.arrayContaining([
        'Snapshot of the labelled transactions as of 2025-06-30T00:00:00.000Z',
        'May grace decide?',
        'Remind people of the decision',
      ]),
    );
    expect(words.filter((one) => one === '' || one === 'undefined')).toEqual([]);
  });

  it('is not held up by channels that are down; what it had to tell comes when they are back', async () => {
    let back = (): void => {};
    const down = new Promise<void>((resolve) => (back = resolve));
    fake.beforeDelivery = () => down;
    const handle = await start({ policy: 'manual' });
    try {
      const { digest } = await awaitApproval(handle);
      const decision = { decisionId: 'd', verdict: 'approve', actor: 'grace', reason: 'ok', digest };
      await handle.executeUpdate(DECIDE_UPDATE, { args: [decision] });
      expect(await result(handle)).toMatchObject({ status: 'Released' });
      expect(fake.notifications).toEqual([]);
    } finally {
      back();
    }
    await eventually(() =>
      expect(fake.alerts.map((title) => title.replace(/release \w+/, 'it')).sort()).toEqual([
        'ulb_gbdt: it is live',
        'ulb_gbdt: it waits for a decision',
        'ulb_gbdt: it was approved by grace',
      ]),
    );
  });

  it.each([
    ['at a gate', 'drift', 'warning', /^ulb_gbdt: retraining r\d+, started by drift, did not pass its checks$/],
    ['at a data check', 'schedule', 'warning', /^ulb_gbdt: scheduled release r\d+ did not pass its checks$/],
    ['as it goes live', 'ada', 'critical', /^ulb_gbdt: release r\d+ failed as it went live$/],
    ['otherwise', 'ada', 'critical', /^ulb_gbdt: release r\d+ failed$/],
    [
      'by losing to newer data',
      'schedule',
      'warning',
      /^ulb_gbdt: scheduled release r\d+ was superseded and is not live$/,
    ],
  ])('tells once that a release has failed %s', async (how, requestedBy, severity, title) => {
    if (how === 'at a gate') fake.metrics = { ...fake.metrics, recall: null };
    if (how === 'at a data check') fake.dataPasses = false;
    if (how === 'otherwise') fake.refuses = 'the spec is gone';
    fake.goLive('first', how === 'by losing to newer data' ? '2025-07-15T00:00:00.000Z' : undefined);
    fake.smokeFails = (version) => version !== 'first';
    const handle = await start({}, undefined, requestedBy);
    await handle.result().catch(() => undefined);
    const about = () => fake.notifications.filter(({ workflowId }) => workflowId === handle.workflowId);
    await eventually(() => expect(about()).toHaveLength(1));
    expect(about()[0]).toMatchObject({ severity, title: expect.stringMatching(title) });
  });

  it('archives the former version when a second release goes live', async () => {
    await result(await start());
    const second = await result(await start());
    expect(second).toMatchObject({ status: 'Released', generation: 2 });
    expect([...fake.registry.values()].map(({ stage }) => stage)).toEqual(['Archived', 'Production']);
    expect(fake.aliases.get('champion')).toBe('2');
  });

  it('waits for a person under the policy manual; refuses a wrong digest, shape or actor; goes live when approved', async () => {
    const handle = await start({ policy: 'manual' });
    const { digest, proposal } = await awaitApproval(handle);
    const refused = async (decision: Record<string, unknown>) => {
      const error = await handle.executeUpdate(DECIDE_UPDATE, { args: [decision] }).then(
        () => expect.fail('should be refused'),
        (e: unknown) => e as WorkflowUpdateFailedError,
      );
      return rootCause(error.cause) ?? error.message;
    };
    const good = { decisionId: 'd1', verdict: 'approve', actor: 'grace', reason: 'figures are fine', digest };
    expect(await refused({ ...good, digest: 'f'.repeat(64) })).toMatch(/digest is not that of the proposal/);
    expect(await refused({ ...good, verdict: 'maybe' })).toMatch(/\/verdict/);
    expect(await refused({ ...good, reason: ' ' })).toMatch(/\/reason/);
    expect(await refused({ ...good, actor: 'mallory' })).toMatch(/no approver/);
    expect(fake.pointer).toBeNull();
    // What it was made of is shown, and the digest covers it.
    expect(decisionDigest(proposal)).toBe(digest);
    expect(proposal).toMatchObject({ data: { rows: 1000, positives: 20 }, provenance: { champion: null } });
    expect(await page(handle)).toContain('[version 1 in MLflow](<http://mlflow/#/versions/1>)');
    expect(await page(handle)).toContain('| num\\_leaves | – | 31 |');
    await handle.executeUpdate(DECIDE_UPDATE, { args: [good] });
    expect(await result(handle)).toMatchObject({ status: 'Released' });
    expect(fake.reports[0]).toMatchObject({ actor: 'ada, decided by grace', reason: 'figures are fine' });
    await freeze('approved', handle);
    await freeze('approved-compared', handle);
  });

  it('refuses a decision before there is anything to decide', async () => {
    fake.activities.snapshot = () => new Promise(() => undefined);
    const handle = await start({ policy: 'manual' });
    await vi.waitFor(() => progress(handle), 10_000);
    await expect(handle.executeUpdate(DECIDE_UPDATE, { args: [{}] })).rejects.toThrow(WorkflowUpdateFailedError);
    await handle.terminate();
  });

  it('ends as Rejected: nothing live, the version archived, the challenger given back', async () => {
    const handle = await start({ policy: 'manual' });
    const { digest } = await awaitApproval(handle);
    await handle.executeUpdate(DECIDE_UPDATE, {
      args: [{ decisionId: 'd', verdict: 'reject', actor: 'grace', reason: 'too many alerts', digest }],
    });
    expect(await result(handle)).toMatchObject({ status: 'Rejected', why: 'rejected by grace: too many alerts' });
    expect(fake.pointer).toBeNull();
    expect(fake.registry.get('1')?.stage).toBe('Archived');
    expect(fake.aliases.size).toBe(0);
    await freeze('rejected', handle);
  });

  it('ends as Expired when nobody decides', async () => {
    const handle = await start({ policy: 'manual', deadlineSeconds: 1 });
    expect(await result(handle)).toMatchObject({ status: 'Expired' });
    expect(fake.registry.get('1')?.stage).toBe('Archived');
    await eventually(() =>
      expect(fake.alerts).toContainEqual(expect.stringMatching(/nobody decided on release r\d+ in time/)),
    );
    await freeze('timed-out', handle);
  });

  it('stops before training when the data fails a check, and says which and by how much', async () => {
    fake.dataPasses = false;
    const handle = await start();
    expect(await failure(handle)).toEqual({
      type: 'DataCheckFailed',
      message: 'the data did not pass its checks: rows is 1000, 1000 below 2000',
    });
    expect((await progress(handle)).steps.find(({ name }) => name === 'train')?.status).toBe('skipped');
    await freeze('data-check-failed', handle);
  });

  it('stops where the window holds no rows: told as checks that were not passed', async () => {
    fake.activities.snapshot = () =>
      Promise.reject(ApplicationFailure.nonRetryable('bank_transactions has no row', 'NoData'));
    await environment.close();
    environment = await workflows.workOn(fake);
    const handle = await start({}, undefined, 'schedule');
    expect(await failure(handle)).toMatchObject({ type: 'NoData' });
    await eventually(() => expect(fake.notifications).toHaveLength(1));
    expect(fake.notifications[0]).toMatchObject({
      severity: 'warning',
      key: `${handle.workflowId}/failed`,
      title: expect.stringMatching(/^ulb_gbdt: scheduled release r\d+ did not pass its checks$/),
    });
    await freeze('no-data', handle);
  });

  it('says loudly what could not be undone', async () => {
    const first = await result(await start());
    fake.smokeFails = (version) => version !== first.bundleVersion;
    const { setStage } = fake.activities;
    fake.activities.setStage = (input) =>
      input.stage === 'Archived'
        ? Promise.reject(ApplicationFailure.nonRetryable('the registry refuses', 'Rejected'))
        : setStage(input);
    await environment.close();
    environment = await workflows.workOn(fake);
    const handle = await start();
    expect(await failure(handle)).toMatchObject({ type: 'UndoFailed' });
    await eventually(() => expect(fake.alerts).toContain(`${handle.workflowId}: an undo failed`));
    await freeze('undo-failed', handle);
  });

  it('invariant 6: fails its gates on a metric that is missing, and leaves pointer, aliases and stages as they were', async () => {
    await result(await start());
    const before = JSON.stringify([fake.pointer, [...fake.aliases], [...fake.registry]]);
    fake.metrics = { ...fake.metrics, recall: null };
    const handle = await start();
    expect(await failure(handle)).toMatchObject({
      type: 'GateFailed',
      message: expect.stringContaining('recall was not measured'),
    });
    expect(JSON.stringify([fake.pointer, [...fake.aliases], [...fake.registry]])).toBe(before);
    expect(fake.reports.at(-1)).toMatchObject({ status: 'Failed' });
    await freeze('gate-failed', handle);
    await freeze('gate-failed-telling', handle);
  });

  it('invariant 2, 8: undoes a failed smoke forward in generation, gives the old version its stage back, and fails', async () => {
    const first = await result(await start());
    fake.smokeFails = (version) => version !== first.bundleVersion;
    const handle = await start();
    expect(await failure(handle)).toMatchObject({
      type: 'RolloutFailed',
      message: expect.stringContaining('vector 3 differs by 0.2'),
    });
    expect(fake.pointer).toMatchObject({ version: first.bundleVersion, generation: 3 });
    expect(fake.generations).toEqual([1, 2, 3]);
    expect(fake.replicaGeneration).toBe(3);
    expect(
      flattenSteps((await progress(handle)).steps).flatMap(({ path, step: { status } }) =>
        status === 'failed' ? [path] : [],
      ),
    ).toEqual(['rollout', 'rollout / smoke']);
    expect([...fake.registry.values()].map(({ stage }) => stage)).toEqual(['Production', 'Archived']);
    expect(Object.fromEntries(fake.aliases)).toEqual({ champion: '1' });
    await freeze('rolled-back', handle, await rolloutHandle());
    await freeze('rolled-back-holding', handle, await rolloutHandle());
  });

  it('says loudly that the first bundle failed and there is none to go back to', async () => {
    fake.smokeFails = () => true;
    expect((await failure(await start())).message).toMatch(/no former bundle/);
    await freeze('nothing-to-restore', await rolloutHandle());
    await eventually(() => expect(fake.alerts).toContainEqual(expect.stringContaining('none to go back to')));
  });

  it('re-bases on what went live while it waited, compares again, and goes live', async () => {
    const handle = await start({ policy: 'manual' });
    const { digest } = await awaitApproval(handle);
    fake.goLive('rival');
    await handle.executeUpdate(DECIDE_UPDATE, {
      args: [{ decisionId: 'd', verdict: 'approve', actor: 'grace', reason: 'ok', digest }],
    });
    const end = await result(handle);
    expect(end).toMatchObject({ status: 'Released', generation: 2 });
    expect(end.gates.some(({ name }) => name === 'champion auc_pr')).toBe(true);
  });

  it('is superseded by a release trained on newer data, and undoes nothing of it', async () => {
    const handle = await start({ policy: 'manual' });
    const { digest } = await awaitApproval(handle);
    fake.goLive('newer', '2025-07-15T00:00:00.000Z');
    await handle.executeUpdate(DECIDE_UPDATE, {
      args: [{ decisionId: 'd', verdict: 'approve', actor: 'grace', reason: 'ok', digest }],
    });
    expect(await result(handle)).toMatchObject({ status: 'Superseded', why: expect.stringContaining('newer data') });
    expect(fake.pointer?.version).toBe('newer');
    expect(fake.registry.get('1')?.stage).toBe('Archived');
    await freeze('superseded', handle);
  });

  it('tries again when a rival takes the pointer at the very moment of the swap', async () => {
    fake.goLive('first');
    fake.beforeSwap = () => {
      fake.goLive('rival');
      return Promise.resolve();
    };
    const handle = await start();
    expect(await result(handle)).toMatchObject({ status: 'Released', generation: 3 });
    await freeze('base-moved', await firstRolloutOf(handle));
  });

  it('two at once: both swaps have one winner each and the pointer rises by one each time', async () => {
    const ends = await Promise.all([start(), start()].map(async (handle) => result(await handle)));
    expect(ends.map(({ status }) => status)).toEqual(['Released', 'Released']);
    expect(fake.generations).toEqual([1, 2]);
  });

  it('undoes what it did when it is cancelled', async () => {
    const handle = await start({ policy: 'manual' });
    await awaitApproval(handle);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow(WorkflowFailedError);
    expect(fake.registry.get('1')?.stage).toBe('Archived');
    expect(fake.aliases.size).toBe(0);
    await freeze('cancelled', handle);
  });
});

describe('who may ask for a release, and for what', () => {
  const nothingDone = () => {
    expect(fake.pointer).toBeNull();
    expect(fake.registry.size).toBe(0);
    expect(fake.reports).toEqual([]);
  };

  it('a requester, who may not weaken gates or the policy, however the run is started', async () => {
    fake.spec.promotion.policy = 'manual';
    expect(await failure(await start({}, undefined, 'mallory'))).toMatchObject({
      type: 'NotAuthorised',
      message: 'mallory is no requester',
    });
    const gates = [{ metric: 'auc_roc', min: -1 }];
    const weakened = await start({ policy: 'auto', gates, reason: 'trust me' });
    expect(await failure(weakened)).toMatchObject({ type: 'NotAuthorised', message: 'ada is no overrider' });
    expect(await progress(weakened)).toMatchObject({ status: 'Failed', why: 'ada is no overrider' });
    fake.tokens.add('ada');
    expect(await failure(await start({ policy: 'auto', gates }))).toMatchObject({ type: 'NotAuthorised' });
    nothingDone();
    await freeze('refused', weakened);
  });

  it('of overrides that cannot be, nothing begins: they are refused by path', async () => {
    fake.activities.snapshot = () => expect.fail('should not begin');
    for (const [overrides, message] of [
      [
        { gates: [{ metric: 'auc_rok', min: 0.9 }] },
        /^\/overrides\/gates\/0\/metric: the spec has no gate auc_rok; it has auc_roc, /,
      ],
      [{ gates: 'none' }, /\/gates must be array/],
      [{ seed: -1 }, /\/seed must be >= 0/],
      [{ gate: [] }, /\/gate is not a known key/],
      [null, /must be object/],
    ] as const)
      expect(await failure(await start(overrides as unknown as ReleaseOverrides))).toMatchObject({
        type: 'InvalidInput',
        message: expect.stringMatching(message),
      });
    nothingDone();
  });

  it('overrides are on record: in what is shown, its digest, the report and the audit entry', async () => {
    fake.tokens.add('ada');
    fake.spec.promotion.requester_may_approve = false;
    fake.metrics = { ...fake.metrics, recall: 0.55 };
    const gates = [{ metric: 'recall', min: 0.5 }];
    const handle = await start({ policy: 'manual', seed: 7, deadlineSeconds: 3600, gates, reason: 'a pilot' });
    const { digest, proposal } = await awaitApproval(handle);
    const overrides = [
      { name: 'trainer.seed', old: fake.spec.trainer.seed, new: 7, weakens: false },
      { name: 'promotion.policy', old: 'auto', new: 'manual', weakens: false },
      { name: 'promotion.deadline_hours', old: 72, new: 1, weakens: false },
      { name: 'gates.recall.min', old: 0.6, new: 0.5, weakens: true },
    ];
    expect(proposal.overrides).toEqual(overrides);
    expect(digest).toBe(decisionDigest(proposal));
    expect(await page(handle)).toContain('| gates.recall.min | 0.6 | 0.5 | WEAKER |');
    await handle.executeUpdate(DECIDE_UPDATE, {
      args: [{ decisionId: 'd', verdict: 'approve', actor: 'grace', reason: 'ok', digest }],
    });
    expect(await result(handle)).toMatchObject({ status: 'Released', overrides, unproven: ['grace'] });
    expect(await page(handle)).toContain('identity unproven: grace');
    expect(fake.reports).toMatchObject([{ overrides, overrideReason: 'a pilot', unproven: ['grace'] }]);
    expect(fake.pointer?.change).toMatchObject({
      kind: 'model',
      proposal_sha256: digest,
      decided_by: 'grace',
      decided_by_identity: 'unproven',
      requested_by_identity: 'proven',
      overrides,
      override_reason: 'a pilot',
    });
    await freeze('overridden', handle);
  });

  it('a rollout started by itself puts nothing live, under whatever name', async () => {
    const { version, manifestSha256 } = fake.publish('old');
    const input: RolloutInput = {
      model: 'ulb_gbdt',
      environment: 'production',
      bundle: { version, manifestSha256 },
      base: null,
      releaseId: 'r',
      caller: { actor: 'ceo', reason: 'because' },
      replicaWaitSeconds: 1,
    };
    const handle = await environment.client.workflow.start('rolloutBundle', {
      taskQueue: QUEUES.release,
      workflowId: rolloutId('ulb_gbdt', 'production'),
      args: [input],
    });
    expect(await failure(handle)).toMatchObject({ type: 'NotAuthorised' });
    expect(fake.pointer).toBeNull();
    await freeze('refused', handle);
  });
});

describe('the model that a release runs on', () => {
  it('is the one it started with, from the first step to the last', async () => {
    const given = new Map<string, Set<unknown>>();
    const { activities } = fake;
    for (const [name, activity] of Object.entries(activities))
      Object.assign(activities, {
        [name]: (input: { definition?: string }) => {
          given.set(name, (given.get(name) ?? new Set()).add(input.definition));
          return (activity as (input: object) => unknown)(input);
        },
      });
    await environment.close();
    environment = await workflows.workOn(fake);
    const { status } = await result(await start());
    expect(status).toBe('Released');
    const [definition] = given.get('snapshot') ?? [];
    expect(definition).toMatch(/^[0-9a-f]{64}$/);
    // Whatever else reads the model's folder would read what somebody has edited since.
    const readers = [
      'snapshot',
      'validateData',
      'train',
      'evaluate',
      'register',
      'registryState',
      'setStage',
      'composeBundle',
    ];
    for (const name of [...readers, 'verifyBundle', 'tagModelVersion', 'setAlias'])
      expect([...(given.get(name) ?? [])], name).toEqual([definition]);
    // The champion's features, once there is one.
    expect((await result(await start())).status).toBe('Released');
    expect([...(given.get('championFeatures') ?? [])]).toEqual([definition]);
  });
});

describe('rollbackRelease', () => {
  async function rollback(input: Partial<RollbackInput> = {}): Promise<WorkflowHandle> {
    const releaseId = `b${(serial += 1)}`;
    const args: RollbackInput = {
      model: 'ulb_gbdt',
      environment: 'production',
      releaseId,
      version: null,
      caller: { actor: 'ada', reason: 'complaints' },
      ...input,
    };
    return environment.client.workflow.start('rollbackRelease', {
      taskQueue: QUEUES.release,
      workflowId: rollbackWorkflowId('ulb_gbdt', releaseId),
      args: [args],
    });
  }

  it('puts the last good bundle back through the same door; the registry follows', async () => {
    const first = await result(await start());
    await result(await start());
    const handle = await rollback();
    const end = (await handle.result()) as RollbackResult;
    expect(end.version).toBe(first.bundleVersion);
    expect(fake.pointer).toMatchObject({
      version: first.bundleVersion,
      generation: 3,
      actor: 'ada',
      reason: 'complaints',
    });
    expect(fake.aliases.get('champion')).toBe('1');
    expect([...fake.registry.values()].map(({ stage }) => stage)).toEqual(['Production', 'Archived']);
    await freeze('rolled-back-by-hand', handle);
    await freeze('rolled-back-by-hand-holding', handle);
    await freeze('rolled-back-by-hand-telling', handle);
  });

  it('to a named bundle is composed again on what went live first; to the last good one it is superseded', async () => {
    const first = await result(await start());
    const second = await result(await start());
    const rival = () => Promise.resolve(fake.goLive('rival'));
    fake.beforeSwap = rival;
    const superseded = await rollback();
    expect(await failure(superseded)).toMatchObject({
      type: 'Superseded',
      message: expect.stringContaining('rival went live first'),
    });
    expect(fake.pointer).toMatchObject({ version: 'rival', generation: 3 });
    expect(fake.reports.at(-1)).toMatchObject({ status: 'Superseded', bundleVersion: first.bundleVersion });
    await freeze('superseded', superseded);

    fake.beforeSwap = rival;
    const named = (await (await rollback({ version: second.bundleVersion })).result()) as RollbackResult;
    expect(named).toMatchObject({ version: second.bundleVersion, from: 'rival' });
    expect(fake.pointer).toMatchObject({ version: second.bundleVersion, generation: 5 });
  });

  it('refuses without anything older, with an unknown bundle, and for who may not', async () => {
    expect((await failure(await rollback())).type).toBe('Conflict');
    expect((await failure(await rollback({ environment: 'staging' }))).message).toMatch(/name the bundle/);
    const first = await result(await start());
    expect((await failure(await rollback())).message).toMatch(/no bundle before/);
    expect((await failure(await rollback({ version: 'nope' }))).type).toBe('NotFound');
    await result(await start());
    const refused = await rollback({ caller: { actor: 'mallory', reason: 'mine' } });
    expect(await failure(refused)).toMatchObject({ type: 'NotAuthorised' });
    expect(fake.pointer?.version).not.toBe(first.bundleVersion);
    await freeze('refused', refused);
  });

  it('whose bundle fails its smoke is undone, and told', async () => {
    const first = await result(await start());
    const second = await result(await start());
    fake.smokeFails = (version) => version === first.bundleVersion;
    const handle = await rollback();
    expect(await failure(handle)).toMatchObject({ type: 'RolloutFailed' });
    expect(fake.pointer?.version).toBe(second.bundleVersion);
    const about = () => fake.notifications.filter(({ workflowId }) => workflowId === handle.workflowId);
    await eventually(() => expect(about()).toHaveLength(1));
    expect(about()[0]).toMatchObject({
      severity: 'critical',
      title: expect.stringContaining('failed as it went live'),
    });
    await freeze('undone', handle);
  });

  it('whose bundle fails when something newer is live by then leaves that alone', async () => {
    await result(await start());
    await result(await start());
    fake.smokeFails = (version) => {
      if (version !== 'rival') fake.goLive('rival');
      return version !== 'rival';
    };
    const handle = await rollback();
    expect(await failure(handle)).toMatchObject({ type: 'Superseded' });
    expect(fake.pointer?.version).toBe('rival');
    await freeze('overtaken', await rolloutHandle());
  });

  it('of staging leaves the registry alone, and its report says so', async () => {
    const { bundleVersion } = await result(await start());
    await (await rollback({ environment: 'staging', version: bundleVersion })).result();
    expect(fake.reports.at(-1)).toMatchObject({ status: 'RolledBack', bundleVersion, stage: null });
    await result(await start());
    await (await rollback()).result();
    expect(fake.reports.at(-1)).toMatchObject({ status: 'RolledBack', bundleVersion, stage: 'Production' });
  });
});

describe('sluice rollback', () => {
  const interrupted = new AbortController().signal;
  let told = '';
  /** Runs the command as the client does; the exit code, and what it said. */
  async function sluice(...words: string[]): Promise<{ code: number; message: string }> {
    const session = { client: environment.client, uiUrl: (id: string) => `http://ui/${id}` } as unknown as Session;
    const ran = { code: -1, message: '' };
    const cli = {
      output: { line: (text: string) => void (told = text), error: () => undefined, result: () => undefined },
      actor: 'ada',
      token: null,
      modelsDirectory: projectPath('models'),
      interrupted,
      withSession: async (work: (one: Session) => Promise<number>) => void (ran.code = await work(session)),
    } as unknown as Cli;
    try {
      await rollbackCommand(cli).parseAsync([...words, '--reason', 'complaints'], { from: 'user' });
    } catch (error) {
      if (!(error instanceof SluiceError)) throw error;
      return { code: exitCodeOfFailure(error.type), message: error.message };
    }
    return ran;
  }

  it('ends as every command does: 2 for what cannot be done now, 3 failed, 5 superseded, 7 unknown', async () => {
    expect(await sluice()).toMatchObject({ code: 2, message: expect.stringContaining('nothing to roll back') });
    expect(await sluice('--environment', 'staging')).toMatchObject({ code: 2 });
    fake.registry.set('0', { stage: 'Production', runId: 'run' });
    fake.goLive('first');
    fake.goLive('second');
    expect(await sluice('nope')).toMatchObject({ code: 7, message: expect.stringMatching(/no bundle nope\nhttp:/) });
    expect(await sluice('second')).toMatchObject({ code: 2, message: expect.stringContaining('is already live') });
    expect(await sluice('first')).toMatchObject({ code: 0 });
    fake.goLive('third');
    fake.beforeSwap = () => Promise.resolve(fake.goLive('rival'));
    expect(await sluice()).toMatchObject({ code: 5, message: expect.stringContaining('nothing was rolled back') });
    fake.smokeFails = (version) => version === 'first';
    expect(await sluice('first')).toMatchObject({ code: 3, message: expect.stringContaining('rival is live again') });
  });

  it('ends as failed where somebody terminates its run', async () => {
    fake.beforeSwap = async () => {
      await environment.client.workflow.getHandle(told.replace('http://ui/', '')).terminate();
    };
    fake.goLive('a');
    fake.publish('b');
    expect(await sluice('b')).toMatchObject({
      code: 3,
      message: expect.stringContaining('somebody terminated the run'),
    });
  });
});
