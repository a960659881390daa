import { describe, expect, it } from 'vitest';
import { callerOf } from './caller.js';

const caller = { actor: 'ada', reason: 'June' };

describe('who asked for a run', () => {
  it.each<[string, object]>([
    ['now', { caller }],
    ['of a release before', { requestedBy: 'ada', reason: 'June' }],
    ['of a rollback or rollout before', { actor: 'ada', reason: 'June' }],
  ])('is read from an input %s', (_, input) => {
    expect(callerOf(input)).toEqual(caller);
  });

  it('keeps the proof, wherever it stood', () => {
    const proven = { ...caller, proof: 'a'.repeat(64) };
    expect(callerOf({ caller: proven })).toEqual(proven);
    expect(callerOf({ ...proven, version: null } as object)).toEqual(proven);
    const operation = { operationId: 'o', proof: proven.proof };
    expect(callerOf({ requestedBy: 'ada', reason: 'June', operation } as object)).toEqual(proven);
  });

  it('is a schedule where a night says nothing', () => {
    const schedule = { actor: 'schedule', reason: 'nightly' };
    expect(callerOf({}, schedule)).toEqual(schedule);
    expect(callerOf({ caller }, schedule)).toEqual(caller);
    expect(callerOf({ requestedBy: 'ada' } as object, schedule)).toEqual({ actor: 'ada', reason: 'nightly' });
  });

  it.each([
    [{}, '/caller must be an object {actor, reason}'],
    [{ caller: 'ada' }, '/caller must be an object {actor, reason}'],
    [{ caller: null }, '/caller must be an object {actor, reason}'],
    [{ requestedBy: 'ada' }, '/caller must be an object {actor, reason}'],
    [{ caller: { actor: ' ', reason: 'June' } }, '/caller/actor must be a non-empty text'],
    [{ caller: { actor: 'ada', reason: 7 } }, '/caller/reason must be a non-empty text'],
  ])('is refused in %j, by the path of the field', (input, message) => {
    expect(() => callerOf(input as { caller?: never })).toThrow(
      expect.objectContaining({ type: 'InvalidInput', message }),
    );
  });
});
