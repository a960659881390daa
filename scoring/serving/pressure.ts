import { performance } from 'node:perf_hooks';
import { SluiceError } from '../../platform/errors.js';

/** Refuses work that would only wait: a caller who hears so at once can go elsewhere. */
export interface Pressure {
  /**
   * To be called as a request's work begins.
   * @throws SluiceError Unreachable when the requests of this turn of the event loop have taken the time already
   */
  admit(): void;
}

/**
 * Everything that arrived while the last turn was busy is answered in this one, one after the other: how long this turn has lasted is how
 * long the request at hand has waited, at least.
 * @param maxWaitMs a request that has waited longer is refused
 */
export function createPressure(maxWaitMs: number, now: () => number = () => performance.now()): Pressure {
  let turnBeganAtMs: number | null = null;
  const endTurn = (): void => {
    turnBeganAtMs = null;
  };
  return {
    admit() {
      if (turnBeganAtMs === null) {
        turnBeganAtMs = now();
        setImmediate(endTurn);
      } else if (now() - turnBeganAtMs > maxWaitMs) {
        throw new SluiceError(
          'Unreachable',
          `requests wait more than ${maxWaitMs} ms here; try another replica, or again`,
        );
      }
    },
  };
}
