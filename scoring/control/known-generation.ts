import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';

/** The highest generation that anybody has recorded, as far as it can be asked. */
export interface KnownGeneration {
  /**
   * Asks everyone on record; who cannot be asked says nothing. Never less than it said before, and never rejects.
   * @param mayWait asked again and again: whether it may wait, for half a minute from the start at most, until each has answered once
   */
  ask(mayWait: () => boolean): Promise<number>;
}

/** Whoever serves nothing yet can wait for a database that is slow at a cold start; an outage must not keep it from serving for ever. */
const PATIENCE_MS = 30_000;
const AGAIN_MS = 500;

/** @param sources who keeps a record, by name: the registry of replicas, the audit log */
export function createKnownGeneration(
  sources: Readonly<Record<string, () => Promise<number>>>,
  log: Logger,
): KnownGeneration {
  const startedAtMs = performance.now();
  let highest = 0;
  const unheard = new Set(Object.keys(sources));
  const silent = new Set<string>();
  const askOne = async (name: string, source: () => Promise<number>): Promise<void> => {
    try {
      const answer = await source();
      // Not before the answer is there: meanwhile another source may have raised it.
      highest = Math.max(highest, answer);
      unheard.delete(name);
      silent.delete(name);
    } catch (error) {
      if (!silent.has(name)) log.warn({ err: error }, `the ${name} cannot be asked which generation is the newest`);
      silent.add(name);
    }
  };
  const askAll = () => Promise.all(Object.entries(sources).map(([name, source]) => askOne(name, source)));
  return {
    async ask(mayWait) {
      await askAll();
      while (unheard.size > 0 && mayWait() && performance.now() - startedAtMs < PATIENCE_MS) {
        await delay(AGAIN_MS);
        await askAll();
      }
      return highest;
    },
  };
}
