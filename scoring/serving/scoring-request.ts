import { performance } from 'node:perf_hooks';
import type { OpenBundle } from '../bundles/open-bundle.js';
import type { ScoredRows } from '../bundles/scored-rows.js';
import type { PredictionLog } from '../prediction-log/prediction-log.js';
import { scoredRequest } from '../prediction-log/scored-request.js';
import type { ServingSet } from '../traffic/serving-set.js';
import type { ServingSets } from '../traffic/serving-sets.js';
import type { Observer, Request } from './observer.js';
import { createPressure } from './pressure.js';
import { documentOf, itemsOf } from './routes/items.js';
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

/** What a request asks to have scored. */
export interface Asked {
  transactions: readonly unknown[];
  /** the JSON pointer of a transaction in the request, for the violations' paths */
  pathOf: (index: number) => string;
  /** the transactions as JSON, one or a list, which nobody else may change: what the prediction log keeps */
  bytes: Uint8Array;
}

/** How a request says what it asks, and how it is answered. */
export interface ScoringForm {
  /** under which it is counted */
  group: 'score' | 'inference';
  /**
   * @param body undefined when there is none
   * @throws SluiceError InvalidInput
   */
  read(body: Buffer | undefined, maxTransactions: number, bundle: OpenBundle): Asked;
  /** A request whose answer cannot be written counts as refused: nothing of it is recorded. */
  write(request: Request, asked: Asked, scored: ScoredRows, set: ServingSet, facts: SetFacts): string | Promise<string>;
}

/** One transaction or a list, answered with everything that decided it. */
export const PLAIN_FORM: ScoringForm = {
  group: 'score',
  read(body, maxTransactions) {
    const { items, pathOf } = itemsOf(documentOf(body), 'transaction', maxTransactions);
    return { transactions: items, pathOf, bytes: body as Buffer };
  },
  write: (request, { transactions }, scored, _set, { champion }) => champion.write(request.id, transactions, scored),
};

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
  form?: ScoringForm,
) => void | Promise<void>;

export function createAnswerScores({ sets, predictionLog, factsOf, observer, limits }: ScoringDeps): AnswerScores {
  const pressure = createPressure(limits.waitMs);
  return (request, body, answer, form = PLAIN_FORM) => {
    pressure.admit();
    const startedAtMs = performance.now();
    return sets.use((set) => {
      const asked = form.read(body, limits.maxTransactions, set.champion);
      const facts = factsOf(set);
      const finish = (scored: ScoredRows): void | Promise<void> => {
        const record = (text: string): void => {
          predictionLog?.offer(scoredRequest(request.id, asked.bytes, facts.champion.by, scored));
          answer(text, facts);
          observer.scored(request, startedAtMs, scored, facts, form.group);
        };
        const text = form.write(request, asked, scored, set, facts);
        return text instanceof Promise ? text.then(record) : record(text);
      };
      const scored = set.champion.score(asked.transactions, asked.pathOf);
      return scored instanceof Promise ? scored.then(finish) : finish(scored);
    });
  };
}
