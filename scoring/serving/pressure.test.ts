import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createPressure } from './pressure.js';

describe('back-pressure', () => {
  it('refuses what has waited too long in one turn of the event loop, and nothing in the next', async () => {
    let nowMs = 0;
    const { admit } = createPressure(100, () => nowMs);
    admit();
    nowMs = 100;
    admit();
    nowMs = 101;
    expect(admit).toThrow('more than 100 ms');
    expect(admit).toThrow(expect.objectContaining({ type: 'Unreachable' }) as Error);
    await nextTurn();
    admit();
    nowMs = 150;
    admit();
  });

  it('counts from the first request of a turn, not from the last turn', async () => {
    let nowMs = 0;
    const { admit } = createPressure(100, () => nowMs);
    admit();
    await nextTurn();
    nowMs = 5_000;
    admit();
    admit();
  });
});
