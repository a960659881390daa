import type { Logger } from 'pino';

/** The highest generation that anybody has recorded, as far as it can be asked. */
export interface KnownGeneration {
  /** Asks everyone on record; who cannot be asked says nothing. Never less than it said before, and never rejects. */
  ask(): Promise<number>;
}

/** @param sources who keeps a record, by name: the registry of replicas, the audit log */
export function createKnownGeneration(
  sources: Readonly<Record<string, () => Promise<number>>>,
  log: Logger,
): KnownGeneration {
  let highest = 0;
  const silent = new Set<string>();
  const askOne = async (name: string, source: () => Promise<number>): Promise<void> => {
    try {
      highest = Math.max(highest, await source());
      silent.delete(name);
    } catch (error) {
      if (!silent.has(name)) log.warn({ err: error }, `the ${name} cannot be asked which generation is the newest`);
      silent.add(name);
    }
  };
  return {
    async ask() {
      await Promise.all(Object.entries(sources).map(([name, source]) => askOne(name, source)));
      return highest;
    },
  };
}
