import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { authorise, type Principal } from './authorise.js';
import { decisionProof, operationAsDecision, proofMatches, type ProvenDecision } from './proof.js';
import { provenDigest } from './proven-digest.js';

const token = 'correct horse battery staple';
const tokenSha256 = createHash('sha256').update(token).digest('hex');
const decision: ProvenDecision = {
  decisionId: 'd1',
  verdict: 'approve',
  actor: 'ada',
  workflowId: 'release/m/r1',
  digest: 'a'.repeat(64),
};

describe('proof of a decision', () => {
  it('is the documented HMAC', () => {
    const message = ['d1', 'approve', 'ada', 'release/m/r1', 'a'.repeat(64)].join('\n');
    const key = createHash('sha256').update(token).digest();
    expect(decisionProof(token, decision)).toBe(createHmac('sha256', key).update(message).digest('hex'));
  });

  it('fits this token, decision, verdict, actor, workflow and proposal only', () => {
    const proof = decisionProof(token, decision);
    expect(proofMatches(proof, tokenSha256, decision)).toBe(true);
    expect(proofMatches(decisionProof('other', decision), tokenSha256, decision)).toBe(false);
    for (const field of Object.keys(decision) as (keyof ProvenDecision)[])
      expect(proofMatches(proof, tokenSha256, { ...decision, [field]: 'other' }), field).toBe(false);
  });

  it('is refused in any other shape, without an exception', () => {
    fc.assert(fc.property(fc.string(), (proof) => !proofMatches(proof, tokenSha256, decision)));
    expect(proofMatches('', tokenSha256, decision)).toBe(false);
  });

  it('cannot be stretched over fields by a line break', () => {
    const moved = { ...decision, decisionId: 'd1\napprove', verdict: 'ada' };
    expect(() => decisionProof(token, moved)).toThrow(RangeError);
    expect(proofMatches(decisionProof(token, decision), tokenSha256, moved)).toBe(false);
  });

  it('covers the edits, and not the order they are written in', () => {
    const { digest } = decision;
    expect(provenDigest(digest, undefined)).toBe(digest);
    expect(provenDigest(digest, { a: 0.5, b: 1 })).toBe(provenDigest(digest, { b: 1, a: 0.5 }));
    const others = [digest, provenDigest(digest, {}), provenDigest(digest, { a: 0.6, b: 1 })];
    expect(others).not.toContain(provenDigest(digest, { a: 0.5, b: 1 }));
    expect(provenDigest('b'.repeat(64), { a: 0.5 })).not.toBe(provenDigest(digest, { a: 0.5 }));
  });

  it('covers the gates that are overridden, beside the edits', () => {
    const { digest } = decision;
    const all = [
      provenDigest(digest),
      provenDigest(digest, { a: 1 }),
      provenDigest(digest, null, ['a']),
      provenDigest(digest, null, ['a', 'b']),
      provenDigest(digest, { a: 1 }, ['a']),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(all[0]).toBe(digest);
  });

  it('covers an operation in full', () => {
    const operation = {
      operationId: 'o1',
      operation: 'rollback m production last good',
      actor: 'ada',
      workflowId: 'rollback/m/o1',
    };
    const proof = decisionProof(token, operationAsDecision(operation));
    expect(proofMatches(proof, tokenSha256, operationAsDecision(operation))).toBe(true);
    expect(
      proofMatches(
        proof,
        tokenSha256,
        operationAsDecision({ ...operation, operation: 'rollback m staging last good' }),
      ),
    ).toBe(false);
  });
});

describe('authorisation', () => {
  const ask = (principal: Principal | null, proven = false) =>
    authorise({ principal, actor: 'ada', role: 'approver', principalsFile: 'principals.json', proven: () => proven });

  it.each<[string, Principal | null, boolean, boolean, RegExp]>([
    ['an unknown actor', null, true, false, /ada is not among the principals in principals\.json/],
    [
      'another role',
      { name: 'ada', roles: ['requester', 'operator'] },
      true,
      false,
      /roles requester, operator.*needs approver/,
    ],
    ['no role', { name: 'ada', roles: [] }, true, false, /no role/],
    ['the role, no token on file', { name: 'ada', roles: ['approver'] }, false, true, /holds the role approver/],
    [
      'the role, token not shown',
      { name: 'ada', roles: ['approver'], token_sha256: tokenSha256 },
      false,
      false,
      /SLUICE_TOKEN/,
    ],
    [
      'the role, token shown',
      { name: 'ada', roles: ['approver'], token_sha256: tokenSha256 },
      true,
      true,
      /holds the role/,
    ],
  ])('%s', (_what, principal, proven, allowed, why) => {
    const answer = ask(principal, proven);
    expect(answer.allowed).toBe(allowed);
    expect(answer.why).toMatch(why);
  });
});
