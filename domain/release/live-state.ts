import type { Pointer } from './types.js';

/** What is live, and what else says so. */
export interface LiveState {
  live: Pointer;
  /** the registry's version of the live bundle's model */
  modelVersion: string;
  /** whether the live generation was ever smoke-tested, and how that ended; null: never */
  verdict: string | null;
  champion: string | null;
  challenger: string | null;
  production: string[];
  /** versions of our releases in Staging */
  staging: string[];
  /** releases and rollbacks that run, or wait for a person */
  underWay: { workflowId: string; waits: boolean }[];
}

/** What must be put right so that everything says what the pointer says. */
export interface Mending {
  /** the live generation has not proved itself */
  smoke: boolean;
  champion: boolean;
  promote: boolean;
  /** versions that nothing holds in Production or Staging any more */
  archive: string[];
  /** the alias of a release that is gone */
  challenger: boolean;
}

/**
 * What a run that was stopped from outside has left behind. The pointer is right: it moves last and by one door. What runs just now is
 * left to do its own work, and what waits for a person keeps its version.
 */
export function mendingOf(state: LiveState): Mending {
  const { modelVersion, underWay } = state;
  const moving = underWay.some(({ waits }) => !waits);
  const alone = underWay.length === 0;
  return {
    smoke: state.verdict === null,
    champion: !moving && state.champion !== modelVersion,
    promote: !moving && !state.production.includes(modelVersion),
    archive: alone ? [...state.production, ...state.staging].filter((version) => version !== modelVersion) : [],
    challenger: alone && state.challenger !== null,
  };
}
