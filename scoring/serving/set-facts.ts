import type { ScorerMetrics, ThresholdHits } from '../metrics/scorer-metrics.js';
import type { ScoredBy } from '../prediction-log/scored-request.js';
import type { ServingSet } from '../traffic/serving-set.js';
import { createAnswerWriter, type AnswerWriter } from './answer.js';
import { versionsOf } from './versions.js';

/** What is made once for a set and used by all its requests. */
export interface SetFacts {
  /** headers that name what is live, of every answer to a request for scores */
  versions: Readonly<Record<string, string>>;
  champion: {
    by: ScoredBy;
    write: AnswerWriter;
    hits: ThresholdHits;
  };
}

export type FactsOf = (set: ServingSet) => SetFacts;

export function createSetFacts(metrics: Pick<ScorerMetrics, 'thresholds'>): FactsOf {
  const known = new WeakMap<ServingSet, SetFacts>();
  return (set) => {
    const found = known.get(set);
    if (found !== undefined) return found;
    const { champion, origin } = set;
    const versions = versionsOf(champion, origin.generation);
    const facts: SetFacts = {
      versions: {
        'x-bundle-version': versions.bundle_version,
        'x-thresholds-sha256': versions.thresholds_sha256,
      },
      champion: {
        by: { versions, arm: 'champion', featureNames: champion.featureNames },
        write: createAnswerWriter(champion, versions),
        hits: metrics.thresholds(Object.keys(champion.loaded.thresholds.operating.per_category)),
      },
    };
    known.set(set, facts);
    return facts;
  };
}
