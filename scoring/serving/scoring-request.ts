import { performance } from 'node:perf_hooks';
import type { ScoredRows } from '../bundles/scored-rows.js';
import type { PredictionLog } from '../prediction-log/prediction-log.js';
import { scoredRequest } from '../prediction-log/scored-request.js';
import type { ServingSets } from '../traffic/serving-sets.js';
import { parseJsonBody } from './json-body.js';
import type { Observer, Request } from './observer.js';
import { createPressure } from './pressure.js';
import { itemsOf } from './routes/items.js';
import type { FactsOf, SetFacts } from './set-facts.js';

export interface ScoringDeps {
  sets: ServingSets;
  /** null when it is off, or there is no database */
  predictionLog: PredictionLog | null;
  factsOf: FactsOf;
  observer: Observer;
  limits: {
    /** transactions in one request */
    maxTransactions: number;
    /** how long a request may have waited when its turn comes */
    waitMs: number;
  };
}

/**
 * Answers a request for scores, however it came here.
 * @param body undefined when there is none
 * @param answer called once with the answer's text, in this tick where the models can; not at all when it throws or rejects
 * @throws RefusedInput, SluiceError
 */
export type AnswerScores = (
  request: Request,
  body: Buffer | undefined,
  answer: (text: string, facts: SetFacts) => void,
) => void | Promise<void>;

export function createAnswerScores({ sets, predictionLog, factsOf, observer, limits }: ScoringDeps): AnswerScores {
  const pressure = createPressure(limits.waitMs);
  return (request, body, answer) => {
    pressure.admit();
    const startedAtMs = performance.now();
    return sets.use((set) => {
      const document = body === undefined || body.length === 0 ? undefined : parseJsonBody(body);
      const { items, pathOf } = itemsOf(document, 'transaction', limits.maxTransactions);
      const facts = factsOf(set);
      const { by, write } = facts.champion;
      const finish = (scored: ScoredRows): void => {
        if (body !== undefined) predictionLog?.offer(scoredRequest(request.id, body, by, scored));
        answer(write(request.id, items, scored), facts);
        observer.scored(request, startedAtMs, scored, facts);
      };
      const scored = set.champion.score(items, pathOf);
      return scored instanceof Promise ? scored.then(finish) : finish(scored);
    });
  };
}
