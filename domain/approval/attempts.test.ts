import { describe, expect, it } from 'vitest';
import { Attempts } from './attempts.js';

const MINUTE = 60_000;
/** Lets in whoever may try, as a gate does; what becomes of it is another question. */
function tryAll(attempts: Attempts, actor: string, times: number, nowMs: number): number {
  let letIn = 0;
  for (let i = 0; i < times; i += 1) {
    if (attempts.refusal(actor, nowMs) !== null) continue;
    attempts.begin(actor, nowMs);
    letIn += 1;
  }
  return letIn;
}

describe('attempts to decide', () => {
  it('lets in everybody before any names are known', () => {
    expect(new Attempts().refusal('mallory', 0)).toBeNull();
  });

  it('lets in nobody of an unknown name, and one every ten minutes for whom the list is read again', () => {
    const attempts = new Attempts();
    attempts.known(['ada'], 0);
    expect(tryAll(attempts, 'mallory', 500, 10 * MINUTE - 1)).toBe(0);
    expect(attempts.refusal('mallory', 0)).toMatch(/not among the principals.*00:00:00Z.*after 1970-01-01T00:10:00Z/);
    expect(tryAll(attempts, 'mallory', 500, 10 * MINUTE)).toBe(1);
    expect(tryAll(attempts, 'another', 500, 10 * MINUTE)).toBe(0);
    attempts.known(['ada', 'new'], 10 * MINUTE);
    expect(attempts.refusal('new', 10 * MINUTE)).toBeNull();
    expect(attempts.refusal('ada', 10 * MINUTE)).toBeNull();
  });

  it('lets in five refused attempts of a known name at once, then one every quarter of an hour, and tells once', () => {
    const attempts = new Attempts();
    attempts.known(['ada', 'ben'], 0);
    expect(tryAll(attempts, 'ada', 500, 0)).toBe(5);
    expect([attempts.refused('ada'), attempts.refused('ada')]).toEqual([true, false]);
    expect(attempts.refusal('ada', 1)).toMatch(/5 attempts in the name of ada.*after 1970-01-01T00:15:00Z/);
    expect(attempts.refusal('ben', 1), 'others are not held up').toBeNull();
    expect(tryAll(attempts, 'ada', 500, 15 * MINUTE)).toBe(1);
    expect(attempts.refused('ada'), 'told already').toBe(false);
  });

  it('forgets what was refused when the same name is allowed', () => {
    const attempts = new Attempts();
    attempts.known(['ada'], 0);
    expect(tryAll(attempts, 'ada', 4, 0)).toBe(4);
    expect(attempts.refused('ada')).toBe(false);
    attempts.allowed('ada');
    expect(tryAll(attempts, 'ada', 500, 0)).toBe(5);
  });
});
