import type { ScoredBy } from '../prediction-log/scored-request.js';
import type { ServingSet } from '../traffic/serving-set.js';
import { createAnswerWriter, type AnswerWriter } from './answer.js';
import { versionsOf } from './versions.js';

/** What is made once for a set and used by all its requests. */
export interface SetFacts {
  champion: { by: ScoredBy; write: AnswerWriter };
}

const known = new WeakMap<ServingSet, SetFacts>();

export function factsOf(set: ServingSet): SetFacts {
  const found = known.get(set);
  if (found !== undefined) return found;
  const { champion, origin } = set;
  const versions = versionsOf(champion, origin.generation);
  const facts: SetFacts = {
    champion: {
      by: { versions, arm: 'champion', featureNames: champion.featureNames },
      write: createAnswerWriter(champion, versions),
    },
  };
  known.set(set, facts);
  return facts;
}
