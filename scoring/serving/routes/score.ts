import type { FastifyInstance } from 'fastify';
import * as Api from '../api-schemas.js';
import type { Observer } from '../observer.js';
import type { AnswerScores } from '../scoring-request.js';
import { failures } from './failures.js';

export const JSON_TYPE = 'application/json; charset=utf-8';

export interface ScoreDeps {
  answerScores: AnswerScores;
  observer: Observer;
  limits: {
    /** requests per minute and client address; 0: no limit */
    scoresPerMinute: number;
  };
}

/** `/v1/score`. Most of its requests take the fast lane (fast-lane.ts) and never come here. */
export function scoreRoute(app: FastifyInstance, { answerScores, observer, limits }: ScoreDeps): void {
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
    handler: (request, reply) =>
      answerScores(request, request.body as Buffer | undefined, (text, facts) => {
        void reply.headers(observer.headers(request, { ...facts.versions, 'content-type': JSON_TYPE })).send(text);
      }),
  });
}
