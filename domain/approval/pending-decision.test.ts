import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Decision } from '../../schemas/types.js';
import { seeded } from '../../test/support/seeded.js';
import { PendingDecision } from './pending-decision.js';

const DIGEST = 'a'.repeat(64);
const DEADLINE_SECONDS = 10;
const decision = (id: number, change: Partial<Decision> = {}): Decision => ({
  decisionId: `d${id}`,
  verdict: 'approve',
  actor: `person ${id}`,
  reason: 'seen',
  digest: DIGEST,
  ...change,
});

/** What must hold, told without the class: when it opened, and who counted. */
interface Model {
  nowMs: number;
  openedAt: number | null;
  counted: string | null;
  closed: boolean;
  /** decisions that were let in and are being authorised */
  authorising: Decision[];
}
type Real = PendingDecision;
type Command = fc.Command<Model, Real>;

const mayCount = ({ nowMs, openedAt, counted, closed }: Model): boolean =>
  openedAt !== null && counted === null && !closed && nowMs < openedAt + DEADLINE_SECONDS * 1000;
const counts = (real: Real, model: Model): void => {
  const actor = real.outcome !== null && real.outcome.verdict !== 'expired' ? real.outcome.actor : null;
  expect(actor).toBe(model.counted);
};

const wait = (seconds: number): Command => ({
  check: () => true,
  run: (model) => void (model.nowMs += seconds * 1000),
  toString: () => `wait ${seconds} s`,
});
const open: Command = {
  check: ({ openedAt }) => openedAt === null,
  run: (model, real) => {
    model.openedAt = model.nowMs;
    expect(real.open({ digest: DIGEST, deadlineSeconds: DEADLINE_SECONDS }, model.nowMs)).toBe(
      model.nowMs + DEADLINE_SECONDS * 1000,
    );
  },
  toString: () => 'open',
};
/** Sent by somebody: let in to be authorised, or refused at once. */
const send = (id: number, rightDigest: boolean): Command => ({
  check: () => true,
  run: (model, real) => {
    const sent = decision(id, rightDigest ? {} : { digest: 'b'.repeat(64) });
    const letIn = real.refusal(sent, model.nowMs) === null;
    expect(letIn).toBe(mayCount(model) && rightDigest);
    if (letIn) model.authorising.push(sent);
    counts(real, model);
  },
  toString: () => `send ${id}${rightDigest ? '' : ' of another digest'}`,
});
/** Authorised after some time, in any order: the first counts, if it still may. */
const authorised = (index: number): Command => ({
  check: ({ authorising }) => authorising.length > 0,
  run: (model, real) => {
    const [sent] = model.authorising.splice(index % model.authorising.length, 1) as [Decision];
    const taken = real.take(sent, model.nowMs) === null;
    expect(taken).toBe(mayCount(model));
    if (taken) model.counted = sent.actor;
    counts(real, model);
  },
  toString: () => `authorised ${index}`,
});
const close: Command = {
  check: ({ openedAt }) => openedAt !== null,
  run: (model, real) => {
    model.closed = true;
    const outcome = real.close();
    expect(outcome.verdict === 'expired').toBe(model.counted === null);
    counts(real, model);
  },
  toString: () => 'close',
};

describe('a pending decision', () => {
  it('is made once: not before it opens, not after the deadline, by its own digest only, the first who is authorised', () => {
    const commands = fc.commands(
      [
        fc.integer({ min: 0, max: 6 }).map(wait),
        fc.constant(open),
        fc.tuple(fc.nat({ max: 9 }), fc.boolean()).map(([id, right]) => send(id, right)),
        fc.nat({ max: 9 }).map((id) => send(id, true)),
        fc.nat({ max: 3 }).map(authorised),
        fc.constant(close),
      ],
      { maxCommands: 40 },
    );
    const setup = () => ({
      model: { nowMs: 1_000_000, openedAt: null, counted: null, closed: false, authorising: [] } as Model,
      real: new PendingDecision(),
    });
    fc.assert(
      fc.property(commands, (run) => fc.modelRun(setup, run)),
      seeded(500),
    );
  });

  it('says what is wrong with one that does not count', () => {
    const edited = (edits: unknown, verdict: Decision['verdict'] = 'approve') =>
      decision(1, { verdict, edits: edits as Record<string, unknown> });
    const shown = new PendingDecision();
    expect(shown.refusal(decision(1), 0)).toBe('this run is not waiting for a decision');
    shown.open({ digest: DIGEST, deadlineSeconds: 10 }, 0);
    expect(shown.refusal(decision(1), 9_999)).toBeNull();
    expect(shown.refusal(decision(1), 10_000)).toBe('the deadline of this decision has passed');
    expect(shown.refusal(decision(1), 60_000)).toBe('the deadline of this decision has passed');
    expect(shown.refusal(null, 1)).toMatch(/must be an object/);
    expect(shown.refusal({ ...decision(1), reason: ' ' }, 1)).toBe('/reason must be a non-empty text');
    expect(shown.refusal({ ...decision(1), verdict: 'maybe' }, 1)).toMatch(/^\/verdict/);
    expect(shown.refusal(edited({ a: 1 }), 1)).toBe('/edits: this is approved as it is shown, or rejected');
    const editable = new PendingDecision();
    editable.open({ digest: DIGEST, deadlineSeconds: 10, checkEdits: ({ a }) => (a === 1 ? null : '/a is not 1') }, 0);
    expect(editable.refusal(edited([]), 1)).toBe('/edits must be an object');
    expect(editable.refusal(edited({ a: 1 }, 'reject'), 1)).toBe('/edits go with "approve" only');
    expect(editable.refusal(edited({ a: 2 }), 1)).toBe('/edits/a is not 1');
    expect(editable.take(edited({ a: 1 }), 1)).toBeNull();
    expect(editable.close()).toEqual({
      verdict: 'approve',
      actor: 'person 1',
      reason: 'seen',
      at: '1970-01-01T00:00:00.001Z',
      edits: { a: 1 },
      overrides: null,
    });
    const overriding = (overrides: unknown, more: Partial<Decision> = {}) =>
      decision(1, { overrides: overrides as string[], ...more });
    expect(shown.refusal(overriding(['a']), 1)).toBe('/overrides: there is no gate to override here');
    const gated = new PendingDecision();
    gated.open(
      {
        ...{ digest: DIGEST, deadlineSeconds: 10, checkEdits: () => null },
        checkOverrides: (names, isEdited) => (isEdited || names.join() === 'a' ? null : 'override a'),
      },
      0,
    );
    expect(gated.refusal(decision(1), 1)).toBe('override a');
    expect(gated.refusal(decision(1, { verdict: 'reject' }), 1)).toBeNull();
    expect(gated.refusal(edited({ a: 1 }), 1)).toBeNull();
    for (const wrong of ['a', [], [1], null]) expect(gated.refusal(overriding(wrong), 1)).toMatch(/must be a list/);
    expect(gated.refusal(overriding(['a', 'a']), 1)).toBe('/overrides names a gate twice');
    expect(gated.refusal(overriding(Array.from({ length: 101 }, String)), 1)).toMatch(/more than 100/);
    expect(gated.refusal(overriding(['a'], { verdict: 'reject' }), 1)).toBe('/overrides go with "approve" only');
    expect(gated.take(overriding(['a']), 1)).toBeNull();
    expect(gated.outcome).toMatchObject({ verdict: 'approve', overrides: ['a'] });
  });
});
