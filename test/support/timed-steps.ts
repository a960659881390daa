import { performance } from 'node:perf_hooks';
import type fc from 'fast-check';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { settle } from './pending-calls.js';

/** A model of something with timers; `check` names what does not hold. */
interface World {
  check(): readonly string[];
}

/** Time stands still in every test of the file but for what a step lets pass. */
export function useStillTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: 0 });
    vi.spyOn(performance, 'now').mockImplementation(() => Date.now());
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
}

/** One thing that may happen next, and what must hold after it. */
export function timedStep<W extends World>(
  name: string,
  possible: (world: W) => boolean,
  act: (world: W) => unknown,
): fc.AsyncCommand<W, null> {
  return {
    check: possible,
    async run(world) {
      // No two steps at the same time: times tell what came first.
      vi.advanceTimersByTime(1);
      await settle();
      await act(world);
      await settle();
      expect(world.check()).toEqual([]);
    },
    toString: () => name,
  };
}
