import type { RolloutResult } from '../rolloutBundle/contract.js';

/** How publishing a bundle ended, for whoever publishes. */
export type Published =
  /** every live replica serves the bundle */
  | { outcome: 'live'; version: string; generation: number; rollout: RolloutResult }
  /** there was nothing to publish */
  | { outcome: 'unchanged'; why: string }
  /** other changes were faster: nothing of ours is live, and nothing is broken */
  | { outcome: 'superseded'; why: string }
  /** the bundle failed after the pointer named it */
  | { outcome: 'failed'; why: string; rollout: RolloutResult };

/** What a rollout means for its publisher; `base moved`: another change went first, so the bundle must be composed again on that. */
export type Reading = Extract<Published, { outcome: 'live' | 'superseded' | 'failed' }> | { outcome: 'base moved' };

/** The one reading of a rollout's outcome. A new outcome is given its meaning here, for every publisher. */
export function readOutcome(version: string, rollout: RolloutResult): Reading {
  const { outcome, why, liveVersion } = rollout;
  const failed = `the rollout of ${version} failed: ${why}`;
  switch (outcome) {
    case 'live':
      return { outcome: 'live', version, generation: rollout.generation as number, rollout };
    case 'base-moved':
      return { outcome: 'base moved' };
    case 'overtaken':
      // Ours is not live and the newer one is: as if ours had lost the race. `why` says which bundle has gone live since.
      return { outcome: 'superseded', why: failed };
    case 'undone':
      return { outcome: 'failed', why: `${failed}; ${liveVersion} is live again`, rollout };
    case 'nothing-to-restore':
      return { outcome: 'failed', why: `${failed}; there was no former bundle to go back to`, rollout };
    default:
      outcome satisfies never;
      throw new Error(`a rollout ended as ${String(outcome)}, which this version of the workflows does not know`);
  }
}
