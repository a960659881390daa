import { performance } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import type { ServingSets } from '../../traffic/serving-sets.js';
import type { ScoredRows } from '../../bundles/scored-rows.js';
import type { PredictionLog } from '../../prediction-log/prediction-log.js';
import * as Api from '../api-schemas.js';
import { scoredRequest } from '../../prediction-log/scored-request.js';
import { failures } from './failures.js';
import type { Observer } from '../observer.js';
import { createPressure } from '../pressure.js';
import type { FactsOf } from '../set-facts.js';
import { bodyOf, itemsOf } from './items.js';

const JSON_TYPE = 'application/json; charset=utf-8';

export interface ScoreDeps {
  sets: ServingSets;
  /** null when it is off, or there is no database */
  predictionLog: PredictionLog | null;
  factsOf: FactsOf;
  observer: Observer;
  limits: {
    /** transactions in one request */
    maxTransactions: number;
    /** requests per minute and client address; 0: no limit */
    scoresPerMinute: number;
    /** how long a request may have waited when its turn comes */
    waitMs: number;
  };
}

/** `/v1/score`. */
export function scoreRoute(app: FastifyInstance, { sets, limits, predictionLog, factsOf, observer }: ScoreDeps): void {
  const pressure = createPressure(limits.waitMs);
  app.post('/v1/score', {
    schema: {
      operationId: 'scoreTransactions',
      tags: ['scoring'],
      summary: 'Score one transaction or a list',
      response: { 200: Api.ScoreResponse, ...failures(400, 413, 415, 422, 429, 503) },
    },
    ...(limits.scoresPerMinute === 0
      ? {}
      : { config: { rateLimit: { max: limits.scoresPerMinute, timeWindow: 60_000 } } }),
    handler: (request, reply) => {
      pressure.admit();
      const startedAtMs = performance.now();
      return sets.use((set) => {
        const body = bodyOf(request);
        const { items, pathOf } = itemsOf(body?.document, 'transaction', limits.maxTransactions);
        const facts = factsOf(set);
        const { by, write } = facts.champion;
        const answer = (scored: ScoredRows): void => {
          if (body !== undefined) predictionLog?.offer(scoredRequest(request.id, body.bytes, by, scored));
          observer.stamp(request, reply).headers(facts.versions).type(JSON_TYPE);
          void reply.send(write(request.id, items, scored));
          observer.scored(request, startedAtMs, scored, facts);
        };
        const scored = set.champion.score(items, pathOf);
        return scored instanceof Promise ? scored.then(answer) : answer(scored);
      });
    },
  });
}
