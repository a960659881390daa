import type { LoadedBundle } from '../../domain/bundle/load.js';
import { SluiceError } from '../../platform/errors.js';
import type { BundlePool } from '../bundles/pool.js';
import { bundlesOf, type Candidate, type Origin, type ServingSet } from './serving-set.js';
import type { ServingSets } from './serving-sets.js';

/** A set that should be served: verified bundles, not opened yet. */
export interface SetOrder {
  origin: Origin;
  champion: FetchedBundle;
  candidate: (Candidate & { bundle: FetchedBundle }) | null;
}

/** A verified bundle and every byte it was read from, so that it can be kept, handed over, and verified again. */
export interface FetchedBundle {
  loaded: LoadedBundle;
  raw: ReadonlyMap<string, Buffer>;
}

/** What control orders of serving: calls in one process, messages to several. Orders come one after the other. */
export interface ServingOrders {
  /**
   * Opens what the set names and is not open yet. What is served stays as it is.
   * @throws SluiceError IntegrityError when a bundle cannot serve; nothing is prepared then
   */
  prepare(order: SetOrder): Promise<void>;
  /** From the next request on, the set that was prepared. */
  switchTo(generation: number | null): Promise<void>;
  /** Lets go of a set that was prepared and will not be switched to. */
  drop(generation: number | null): Promise<void>;
}

/** Orders carried out in this process. */
export function createOrders(pool: BundlePool, sets: ServingSets): ServingOrders {
  let prepared: ServingSet | null = null;
  const take = (generation: number | null): ServingSet => {
    const set = prepared;
    if (set === null || set.origin.generation !== generation)
      throw new SluiceError('Conflict', `generation ${generation} was not prepared`);
    prepared = null;
    return set;
  };

  return {
    async prepare({ origin, champion, candidate }) {
      if (prepared !== null) throw new SluiceError('Conflict', 'another set is prepared already');
      const first = await pool.acquire(champion.loaded);
      try {
        const second = candidate === null ? null : await pool.acquire(candidate.bundle.loaded);
        prepared = {
          origin,
          champion: first,
          candidate: candidate === null || second === null ? null : { ...candidate, bundle: second },
          since: new Date().toISOString(),
        };
      } catch (error) {
        pool.release(first);
        throw error;
      }
    },
    switchTo: (generation) => Promise.resolve(sets.replace(take(generation))),
    drop(generation) {
      for (const bundle of bundlesOf(take(generation))) pool.release(bundle);
      return Promise.resolve();
    },
  };
}
