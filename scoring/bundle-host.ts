import type { Logger } from 'pino';
import { SluiceError } from '../platform/errors.js';
import type { LiveBundle } from './live-bundle.js';

/** Holds the bundle that answers. Whoever works with one keeps it from start to end, whatever is put in its place meanwhile. */
export interface BundleHost {
  /** For reading what is live now; to score, `use` it. */
  current(): LiveBundle | null;
  /**
   * Runs the work with the bundle that is live at this moment, which is not closed before the work has ended.
   * @throws SluiceError Unreachable while there is no bundle
   */
  use<T>(work: (live: LiveBundle) => Promise<T>): Promise<T>;
  /** From the next `use` on, this one. The former is closed when its last work has ended. */
  replace(next: LiveBundle): void;
  /** Waits until everything under way has ended and every thread is gone. */
  close(): Promise<void>;
}

interface Slot {
  live: LiveBundle;
  uses: number;
  retired: boolean;
}

export function createBundleHost(log: Logger): BundleHost {
  let current: Slot | null = null;
  const closing = new Set<Promise<void>>();

  const closeWhenUnused = (slot: Slot): void => {
    if (!slot.retired || slot.uses > 0) return;
    const { version } = slot.live.loaded;
    const closed = slot.live
      .close()
      .then(() => log.debug({ version }, 'bundle closed'))
      .catch((error: unknown) => log.error({ err: error, version }, 'bundle could not be closed'))
      .finally(() => closing.delete(closed));
    closing.add(closed);
  };

  const retire = (slot: Slot | null): void => {
    if (slot === null) return;
    slot.retired = true;
    closeWhenUnused(slot);
  };

  return {
    current: () => current?.live ?? null,

    async use(work) {
      const slot = current;
      if (slot === null)
        throw new SluiceError(
          'Unreachable',
          'no bundle yet: nothing has been published, or it could not be loaded; see /v1/health',
        );
      slot.uses += 1;
      try {
        return await work(slot.live);
      } finally {
        slot.uses -= 1;
        closeWhenUnused(slot);
      }
    },

    replace(next) {
      const former = current;
      current = { live: next, uses: 0, retired: false };
      retire(former);
    },

    async close() {
      const last = current;
      current = null;
      retire(last);
      while (closing.size > 0) await Promise.all(closing);
    },
  };
}
