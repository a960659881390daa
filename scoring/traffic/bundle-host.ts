import type { Logger } from 'pino';
import { SluiceError } from '../../platform/errors.js';
import type { LiveBundle } from '../bundles/live-bundle.js';

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
  /** told when the last work has ended, once another bundle took this one's place; null: none has */
  onUnused: (() => void) | null;
}

export function createBundleHost(log: Logger): BundleHost {
  let current: Slot | null = null;
  /** retired bundles that are not closed yet, those still at work among them */
  const closing = new Set<Promise<void>>();

  const retire = (slot: Slot | null): void => {
    if (slot === null) return;
    const { version } = slot.live.loaded;
    const unused = new Promise<void>((resolve) => {
      if (slot.uses === 0) resolve();
      else slot.onUnused = resolve;
    });
    const closed = unused
      .then(() => slot.live.close())
      .then(() => log.debug({ version }, 'bundle closed'))
      .catch((error: unknown) => log.error({ err: error, version }, 'bundle could not be closed'))
      .finally(() => closing.delete(closed));
    closing.add(closed);
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
        if (slot.uses === 0) slot.onUnused?.();
      }
    },

    replace(next) {
      const former = current;
      current = { live: next, uses: 0, onUnused: null };
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
