import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { createKnownGeneration } from './known-generation.js';

const silent = pino({ level: 'silent' });
/** Answers in turn; undefined: it cannot be asked. */
function source(...answers: (number | undefined)[]) {
  return () => {
    const next = answers.length > 1 ? answers.shift() : answers[0];
    return next === undefined ? Promise.reject(new Error('away')) : Promise.resolve(next);
  };
}
const never = () => false;

describe('the highest generation on record', () => {
  it('is the highest that anybody says, and never falls', async () => {
    const known = createKnownGeneration({ registry: source(3, 1), audit: source(undefined, 2, undefined) }, silent);
    expect([await known.ask(never), await known.ask(never), await known.ask(never)]).toEqual([3, 3, 3]);
  });

  it('is the highest also when who knows less answers last', async () => {
    const late = () => new Promise<number>((resolve) => setImmediate(() => resolve(3)));
    expect(await createKnownGeneration({ registry: late, audit: source(4) }, silent).ask(never)).toBe(4);
  });

  it('is 0 where nobody can be asked, without waiting unless that is wanted', async () => {
    expect(await createKnownGeneration({}, silent).ask(() => true)).toBe(0);
    expect(await createKnownGeneration({ registry: source(undefined) }, silent).ask(never)).toBe(0);
  });

  it('is waited for by whoever has nothing to serve, until each has answered or it is told to stop', async () => {
    const slow = createKnownGeneration({ registry: source(0), audit: source(undefined, 7) }, silent);
    expect(await slow.ask(() => true)).toBe(7);
    let asked = 0;
    const stopped = createKnownGeneration({ registry: source(undefined) }, silent);
    expect(await stopped.ask(() => (asked += 1) < 2)).toBe(0);
  });
});
