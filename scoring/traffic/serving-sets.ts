import { SluiceError } from '../../platform/errors.js';
import type { ServingSet } from './serving-set.js';

/** Holds the set that answers. Whoever works with one keeps it from start to end, whatever is put in its place meanwhile. */
export interface ServingSets {
  /** For reading what is live now; to score, `use` it. */
  current(): ServingSet | null;
  /**
   * Runs the work with the set that is live at this moment, which is not let go of before the work has ended.
   * @throws SluiceError Unreachable while there is none
   */
  use<T>(work: (set: ServingSet) => T | Promise<T>): T | Promise<T>;
  /** From the next `use` on, this one; null: none. The former is let go of when its last work has ended. */
  replace(next: ServingSet | null): void;
  /** Waits until every former set has been let go of. */
  drained(): Promise<void>;
}

interface Slot {
  set: ServingSet;
  /** works that did not end in the tick in which they began */
  uses: number;
  /** told when the last of them has ended, once another set took this one's place; null: none has */
  onUnused: (() => void) | null;
}

/** @param letGo called once with each former set, when nobody works with it any more */
export function createServingSets(letGo: (set: ServingSet) => void): ServingSets {
  let current: Slot | null = null;
  const retiring = new Set<Promise<void>>();

  const retire = (slot: Slot): void => {
    if (slot.uses === 0) {
      letGo(slot.set);
      return;
    }
    const unused = new Promise<void>((resolve) => (slot.onUnused = resolve)).then(() => {
      letGo(slot.set);
      retiring.delete(unused);
    });
    retiring.add(unused);
  };

  return {
    current: () => current?.set ?? null,

    use<T>(work: (set: ServingSet) => T | Promise<T>) {
      const slot = current;
      if (slot === null)
        throw new SluiceError(
          'Unreachable',
          'no bundle yet: nothing has been published, or it could not be loaded; see /v1/health',
        );
      // Work that ends in its own tick needs no count: nothing can be put in the set's place meanwhile.
      const result = work(slot.set);
      if (!(result instanceof Promise)) return result;
      slot.uses += 1;
      return result.finally(() => {
        slot.uses -= 1;
        if (slot.uses === 0) slot.onUnused?.();
      });
    },

    replace(next) {
      const former = current;
      current = next === null ? null : { set: next, uses: 0, onUnused: null };
      if (former !== null) retire(former);
    },

    async drained() {
      while (retiring.size > 0) await Promise.all(retiring);
    },
  };
}
