import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import Type from 'typebox';
import { SluiceError } from '../../../platform/errors.js';
import * as Api from '../api-schemas.js';
import { createExplainedForm, MAX_EXPLAINED } from '../explained.js';
import type { Observer } from '../observer.js';
import { PLAIN_FORM, type AnswerScores } from '../scoring-request.js';
import type { SetFacts } from '../set-facts.js';
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

const Query = Type.Object({
  explain: Type.Optional(
    Type.Enum(['true', 'false'], {
      description: `with what each feature adds to the score; at most ${MAX_EXPLAINED} transactions`,
    }),
  ),
});

/** `/v1/score`. Most of its requests take the fast lane (fast-lane.ts) and never come here. */
export function scoreRoute(app: FastifyInstance, { answerScores, observer, limits }: ScoreDeps): void {
  const explained = createExplainedForm();
  app.post('/v1/score', {
    schema: {
      operationId: 'scoreTransactions',
      tags: ['scoring'],
      summary: 'Score one transaction or a list',
      querystring: Query,
      response: { 200: Api.ScoreResponse, ...failures(400, 409, 413, 415, 422, 429, 503) },
    },
    // The framework's would drop what it does not know.
    validatorCompiler: () => () => true,
    ...scoreLimit(limits),
    handler: (request, reply) =>
      answerScores(
        request,
        request.body as Buffer | undefined,
        answering(request, reply, observer),
        asksForMore(request) ? explained : PLAIN_FORM,
      ),
  });
}

/** Sends an answer's text with its headers. */
export function answering(
  request: FastifyRequest,
  reply: FastifyReply,
  observer: Observer,
): (text: string, facts: SetFacts) => void {
  return (text, facts) => {
    void reply.headers(observer.headers(request, { ...facts.versions, 'content-type': JSON_TYPE })).send(text);
  };
}

/** One count for all routes that score. */
export function scoreLimit({ scoresPerMinute }: ScoreDeps['limits']): { config?: FastifyContextConfig } {
  if (scoresPerMinute === 0) return {};
  return { config: { rateLimit: { max: scoresPerMinute, timeWindow: 60_000, groupId: 'scores' } } };
}

/** @throws SluiceError InvalidInput for anything in the query but `explain`, once, with `true` or `false` */
function asksForMore({ query }: FastifyRequest): boolean {
  const { explain = 'false', ...others } = query as Record<string, unknown>;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined)
    throw new SluiceError(
      'InvalidInput',
      `the query parameter ${JSON.stringify(unknown)} is not known; there is explain`,
    );
  if (explain !== 'true' && explain !== 'false')
    throw new SluiceError(
      'InvalidInput',
      `the query parameter explain is true or false, not ${JSON.stringify(explain)}`,
    );
  return explain === 'true';
}
