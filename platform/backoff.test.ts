import { afterEach, describe, expect, it, vi } from 'vitest';
import { createBackoff } from './backoff.js';

describe('waits between tries', () => {
  afterEach(() => vi.restoreAllMocks());

  it('double up to the limit, and begin again after a try that went well', () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const backoff = createBackoff(500, 3_000);
    expect(backoff.fresh).toBe(true);
    expect([1, 2, 3, 4, 5].map(() => backoff.next())).toEqual([500, 1_000, 2_000, 3_000, 3_000]);
    expect(backoff.fresh).toBe(false);
    backoff.reset();
    expect(backoff.fresh).toBe(true);
    expect(backoff.next()).toBe(500);
  });

  it.each([
    [0, 250],
    [0.999_999, 750],
  ])('are spread by half: random %d gives about %d ms of 500', (random, expected) => {
    vi.spyOn(Math, 'random').mockReturnValue(random);
    expect(createBackoff(500, 3_000).next()).toBeCloseTo(expected, 2);
  });
});
