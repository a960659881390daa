import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createApprovalActivities } from '../../activities/approval/approval.js';
import { COLLECTIONS } from '../../stores/collections.js';
import { createDecisionLog } from '../../stores/decision-log.js';
import type { ApprovalActivities } from '../../activities/approval/contract.js';
import { decisionProof, operationAsDecision } from '../../domain/approval/proof.js';
import type { Mongo } from '../../platform/mongo.js';
import type { Decision, Principals } from '../../schemas/types.js';
import { testMongo } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

const TOKEN = 'a token of ada';
const principals: Principals = {
  principals: [
    { name: 'ada', roles: ['approver', 'operator'], token_sha256: createHash('sha256').update(TOKEN).digest('hex') },
    { name: 'ben', roles: ['approver'] },
    { name: 'cleo', roles: ['requester'] },
    { name: 'dora', roles: ['requester', 'overrider'] },
    {
      name: 'emil',
      roles: ['requester', 'overrider'],
      token_sha256: createHash('sha256').update(TOKEN).digest('hex'),
    },
  ],
};

let stack: SharedServers;
let mongo: Mongo;
let directory: string;
let principalsFile: string;
let activities: ApprovalActivities;
beforeAll(async () => {
  stack = await useServers(['mongo']);
  directory = await mkdtemp(join(tmpdir(), 'sluice-approval-'));
  principalsFile = join(directory, 'principals.json');
});
afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});
beforeEach(async () => {
  mongo = await testMongo(stack.env, `approval-${randomUUID()}`);
  await writeFile(principalsFile, JSON.stringify(principals));
  activities = createApprovalActivities({ log: createDecisionLog(mongo.db), principalsFile });
  return () => mongo.close();
});

const workflowId = 'release/m/r1';
const decision = (actor: string, changes: Partial<Decision> = {}): Decision => ({
  decisionId: randomUUID(),
  verdict: 'approve',
  actor,
  reason: 'looks good',
  digest: 'a'.repeat(64),
  ...changes,
});
const proven = (one: Decision, token = TOKEN): Decision => ({
  ...one,
  proof: decisionProof(token, { ...one, workflowId }),
});
const ask = (one: Decision, requesterMayApprove = false, requester = 'ben') =>
  activities.authorizeDecision({ model: 'm', workflowId, decision: one, requester, requesterMayApprove });
const recorded = () =>
  mongo.db
    .collection(COLLECTIONS.decisionLog.name)
    .find({}, { projection: { _id: 0, at: 0 } })
    .sort({ at: 1 })
    .toArray();

describe('authorising a decision', () => {
  it('lets a proven approver decide, and records who, what, why', async () => {
    const shown = decision('ada');
    const one = proven(shown);
    expect(await ask(one)).toEqual({ allowed: true, why: 'ada holds the role approver', proven: true });
    expect(await recorded()).toEqual([
      expect.objectContaining({
        id: shown.decisionId,
        subject: 'approve',
        actor: 'ada',
        reason: 'looks good',
        digest: shown.digest,
        requester: 'ben',
        allowed: true,
      }),
    ]);
    expect(JSON.stringify(await recorded())).not.toContain(one.proof);
  });

  it('refuses, with a reason, and records that as well', async () => {
    const elsewhere = decision('ada');
    const cases: [Decision, RegExp][] = [
      [decision('nobody'), /not among the principals/],
      [decision('cleo'), /holds the role requester, and this needs approver/],
      [decision('ada'), /does not prove possession/],
      [proven(decision('ada'), 'another token'), /does not prove possession/],
      [
        { ...elsewhere, proof: decisionProof(TOKEN, { ...elsewhere, workflowId: 'release/m/r2' }) },
        /does not prove possession/,
      ],
      [decision('ben'), /asked for this release/],
    ];
    for (const [one, why] of cases) {
      const answer = await ask(one);
      expect(answer).toMatchObject({ allowed: false, why: expect.stringMatching(why) });
    }
    expect(await recorded()).toHaveLength(cases.length);
    expect((await recorded()).every(({ allowed }) => allowed === false)).toBe(true);
  });

  it('lets a requester approve only where the policy does, and always withdraw', async () => {
    expect(await ask(decision('ben'), true)).toMatchObject({ allowed: true });
    expect(await ask(decision('ben', { verdict: 'reject' }))).toMatchObject({ allowed: true });
  });

  it('answers a retry as before, and records it once', async () => {
    const one = decision('ben');
    const [a, b] = await Promise.all([ask(one, true), ask(one, true)]);
    expect(a).toEqual(b);
    await writeFile(principalsFile, JSON.stringify({ principals: [] }));
    expect(await ask(one, true)).toEqual(a);
    expect(await recorded()).toHaveLength(1);
    expect(await ask(decision('ben'), true), 'a new decision sees the new file').toMatchObject({ allowed: false });
  });

  it('does not take an answer once given for a request without the proof', async () => {
    const one = decision('ada');
    expect(await ask(proven(one))).toMatchObject({ allowed: true });
    expect(await ask(one)).toMatchObject({ allowed: false });
  });

  it('lets nobody decide without a principals file, and says what is wrong with a bad one', async () => {
    await rm(principalsFile);
    expect(await ask(decision('ben'), true)).toMatchObject({
      allowed: false,
      why: expect.stringContaining(principalsFile),
    });
    await writeFile(principalsFile, '{"principals":[{"name":"ben","roles":["king"]}]}');
    await expect(ask(decision('ben'), true)).rejects.toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('/principals/0/roles/0'),
    });
    await writeFile(principalsFile, '{"principals":[{"name":"ben","roles":[]},{"name":"ben","roles":["approver"]}]}');
    await expect(ask(decision('ben'), true)).rejects.toThrow('names ben twice');
  });

  it('refuses a decision of the wrong shape with the field', async () => {
    await expect(ask({ ...decision('ben'), verdict: 'maybe' } as unknown as Decision)).rejects.toThrow('/verdict');
  });
});

describe('authorising an operation', () => {
  it('asks for the role operator and a proof of exactly this operation', async () => {
    const operation = {
      operationId: 'o1',
      operation: 'rollback m production last good',
      actor: 'ada',
      workflowId: 'rollback/m/o1',
    };
    const proof = decisionProof(TOKEN, operationAsDecision(operation));
    const input = { ...operation, model: 'm', reason: 'worse', proof };
    expect(await activities.authorizeOperation(input)).toMatchObject({ allowed: true });
    expect(await activities.authorizeOperation({ ...input, operation: 'rollback m staging last good' })).toMatchObject({
      allowed: false,
    });
    expect(await activities.authorizeOperation({ ...input, actor: 'ben' })).toMatchObject({
      allowed: false,
      why: expect.stringContaining('operator'),
    });
    expect(await recorded()).toHaveLength(3);
  });
});

describe('authorising a request', () => {
  const weaker = { name: 'gates.recall.min', old: 0.6, new: 0.5, weakens: true };
  const request = 'release m r1 as of 2025-06-30T00:00:00.000Z overrides none';
  const asks = (actor: string, more: Partial<Parameters<ApprovalActivities['authorizeRequest']>[0]> = {}) =>
    activities.authorizeRequest({
      model: 'm',
      workflowId,
      runId: randomUUID(),
      requestId: 'r1',
      request,
      caller: { actor, reason: 'June' },
      overrides: [],
      overrideReason: null,
      ...more,
    });
  const withToken = (actor: string, words = request) => ({
    actor,
    reason: 'June',
    proof: decisionProof(TOKEN, operationAsDecision({ operationId: 'r1', operation: words, actor, workflowId })),
  });

  it('asks for the role requester, and for the token of whoever has one', async () => {
    expect(await asks('cleo')).toEqual({ allowed: true, why: 'cleo holds the role requester', proven: false });
    expect(await asks('ben')).toMatchObject({ allowed: false, why: expect.stringContaining('needs requester') });
    expect(await asks('ceo')).toMatchObject({
      allowed: false,
      why: expect.stringContaining('not among the principals'),
    });
    expect(await asks('emil')).toMatchObject({ allowed: false, why: expect.stringContaining('SLUICE_TOKEN') });
    expect(await asks('emil', { caller: withToken('emil') })).toMatchObject({ allowed: true, proven: true });
    expect(await asks('emil', { caller: withToken('emil', request.replace('none', 'other')) })).toMatchObject({
      allowed: false,
    });
    expect(await recorded()).toHaveLength(6);
  });

  it('wants the role overrider, with a token, and a reason of whoever weakens the spec', async () => {
    const weakens = { overrides: [weaker], overrideReason: 'a pilot' };
    const what = "this weakens the model's spec (gates.recall.min: 0.6 → 0.5 (weaker))";
    expect(await asks('cleo', weakens)).toMatchObject({
      allowed: false,
      why: expect.stringMatching(/^this weakens .*cleo holds the role requester, and this needs overrider/),
    });
    expect(await asks('dora', weakens)).toMatchObject({
      allowed: false,
      why: expect.stringContaining('dora has no token on file, and the role overrider needs one'),
    });
    const proven = { caller: withToken('emil'), ...weakens };
    expect(await asks('emil', { ...proven, overrideReason: null })).toEqual({
      allowed: false,
      why: `${what}: say why, with --reason`,
      proven: false,
    });
    expect(await asks('emil', proven)).toMatchObject({ allowed: true, proven: true });
    expect((await recorded()).at(-1)).toMatchObject({
      actor: 'emil',
      reason: 'a pilot',
      overrides: [weaker],
      allowed: true,
    });
    // What differs without letting more through is a requester's to ask.
    expect(await asks('cleo', { overrides: [{ ...weaker, new: 0.7, weakens: false }] })).toMatchObject({
      allowed: true,
    });
  });

  it('refuses a caller of the wrong shape by its field, and answers a run that was asked before as it did', async () => {
    await expect(asks('')).rejects.toThrow('/actor');
    const runId = randomUUID();
    expect(await asks('cleo', { runId })).toMatchObject({ allowed: true });
    await writeFile(principalsFile, JSON.stringify({ principals: [] }));
    expect(await asks('cleo', { runId })).toMatchObject({ allowed: true });
    expect(await asks('cleo')).toMatchObject({ allowed: false });
  });
});
