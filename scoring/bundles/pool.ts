import type { Logger } from 'pino';
import type { LoadedBundle } from '../../domain/bundle/load.js';
import type { OpenBundle } from './open-bundle.js';

/** Opened bundles, one of each, however many generations name it. */
export interface BundlePool {
  /**
   * The bundle, opened if nobody has it open. Whoever acquires it releases it.
   * @throws whatever opening it throws; nobody has it then, and the next one tries again
   */
  acquire(loaded: LoadedBundle): Promise<OpenBundle>;
  /** Closes it when this was the last of those who acquired it. */
  release(bundle: OpenBundle): void;
  /** Waits until what was released is closed. */
  idle(): Promise<void>;
}

interface Entry {
  opening: Promise<OpenBundle>;
  uses: number;
}

export function createBundlePool(
  open: (loaded: LoadedBundle) => Promise<OpenBundle>,
  log: Pick<Logger, 'debug' | 'error'>,
): BundlePool {
  /** by the manifest's digest, which every other digest hangs on */
  const entries = new Map<string, Entry>();
  const closing = new Set<Promise<void>>();

  return {
    async acquire(loaded) {
      const { manifestSha256 } = loaded;
      const entry = entries.get(manifestSha256) ?? { opening: open(loaded), uses: 0 };
      entries.set(manifestSha256, entry);
      entry.uses += 1;
      try {
        return await entry.opening;
      } catch (error) {
        if (entries.get(manifestSha256) === entry) entries.delete(manifestSha256);
        throw error;
      }
    },

    release(bundle) {
      const { version, manifestSha256 } = bundle.id;
      const entry = entries.get(manifestSha256);
      if (entry === undefined) throw new Error(`bundle ${version} is released more often than it was acquired`);
      entry.uses -= 1;
      if (entry.uses > 0) return;
      entries.delete(manifestSha256);
      const closed = bundle
        .close()
        .then(() => log.debug({ version }, 'bundle closed'))
        .catch((error: unknown) => log.error({ err: error, version }, 'bundle could not be closed'))
        .finally(() => closing.delete(closed));
      closing.add(closed);
    },

    async idle() {
      while (closing.size > 0) await Promise.all(closing);
    },
  };
}
