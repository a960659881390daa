import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyInstance } from 'fastify';
import type { Logger } from 'pino';
import { errorBody, toAnswer, type Answer } from './api-errors.js';
import { encoded, isEncoded } from './bodies.js';
import { openFastLane } from './fast-lane.js';
import { answerBadPath, answerBrokenRequest, answerNoRoute } from './http-errors.js';
import { createObserver, groupOf, type ObserverDeps } from './observer.js';
import { describeApi } from './openapi.js';
import { administrationRoutes, type AdministrationDeps } from './routes/administration.js';
import { requestId } from './request-id.js';
import { inferenceStateRoutes, inferRoutes } from './routes/inference.js';
import { scoreRoute, type ScoreDeps } from './routes/score.js';
import { stateRoutes, type StateDeps } from './routes/state.js';
import { createAnswerScores, type ScoringDeps } from './scoring-request.js';
import { createSetFacts, type SetFacts } from './set-facts.js';

export interface AppDeps
  extends Omit<ScoringDeps, 'factsOf' | 'observer'>, ObserverDeps, StateDeps, AdministrationDeps {
  log: Logger;
  limits: ScoringDeps['limits'] &
    ScoreDeps['limits'] &
    AdministrationDeps['limits'] & {
      bodyBytes: number;
      /** how long a request may take to arrive, headers and body, before its connection is closed with 408 */
      requestMs: number;
    };
}

const CHECK_CONNECTIONS_MS = 1_000;

/** The scorer's HTTP API. Holds no state: what it answers with is the live set. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { limits, log } = deps;
  const app = Fastify({
    // No logger for each request: making one costs as much as a score. What went wrong is logged below, bodies never are.
    logger: false,
    bodyLimit: limits.bodyBytes,
    genReqId: requestId,
    // While it closes, what arrives on open connections is still answered (with `connection: close`).
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // A client that never finishes its request must not hold up a shutdown.
    requestTimeout: limits.requestMs,
    http: {
      // Node takes the larger of this (60 s by default) and `requestTimeout` for the whole request.
      headersTimeout: limits.requestMs,
      // By default Node looks for late requests twice a minute only.
      connectionsCheckingInterval: Math.min(limits.requestMs, CHECK_CONNECTIONS_MS),
    },
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: answerBadPath,
  });

  app.removeAllContentTypeParsers();
  // Bytes: the prediction log keeps them as they came, and each route parses its own (`documentOf`).
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, ({ headers }, body, done) =>
    isEncoded(headers) ? done(encoded()) : done(null, body),
  );
  // A client may close its half of the connection behind its request, and is answered all the same.
  Object.assign(app.server, { httpAllowHalfOpen: true });
  const factsOf = createSetFacts(deps.metrics);
  const observer = createObserver(deps);
  const facts = (): SetFacts | null => {
    const set = deps.sets.current();
    return set === null ? null : factsOf(set);
  };
  const refusal = (error: unknown, request_id: string, url: string | undefined): Answer => {
    const answer = toAnswer(error, limits);
    if (answer.status >= 500 && answer.status !== 503) log.error({ err: error, request_id, url }, 'request failed');
    return answer;
  };
  app.setErrorHandler(async (error, request, reply) => {
    const { url } = request.routeOptions;
    const { status, error: shown } = refusal(error, request.id, url);
    if (status === 503) reply.header('retry-after', '1');
    const group = groupOf(url);
    // The other groups are counted by their own hook.
    if (group === 'score' || group === 'inference') observer.refused(request, status, facts(), group);
    reply.headers(observer.headers(request, { ...facts()?.versions }));
    return reply.code(status).send(errorBody(shown, request.id, url));
  });
  app.setNotFoundHandler((request, reply) => {
    void answerNoRoute(app, request, reply.headers(observer.headers(request, { ...facts()?.versions })));
    deps.metrics.request('other', reply.statusCode);
  });

  await app.register(rateLimit, { global: false });
  await app.register(swagger, describeApi);
  const answerScores = createAnswerScores({ ...deps, factsOf, observer });
  scoreRoute(app, { answerScores, observer, limits });
  await app.register((inference, _options, done) => {
    inferRoutes(inference, { answerScores, observer, limits });
    done();
  });
  await app.register(async (others) => {
    // Nothing here is a page: one directive says so, the default dozen would only be sent with every answer.
    const contentSecurityPolicy = { useDefaults: false, directives: { defaultSrc: ["'none'"] } };
    await others.register(helmet, { contentSecurityPolicy });
    others.addHook('onRequest', (request, reply, done) => {
      reply.headers(observer.headers(request, { ...facts()?.versions }));
      done();
    });
    others.addHook('onResponse', (request, reply, done) => {
      deps.metrics.request(groupOf(request.routeOptions.url), reply.statusCode);
      done();
    });
    stateRoutes(others, deps);
    inferenceStateRoutes(others, deps);
    administrationRoutes(others, deps);
  });
  await app.ready();
  // A limit per client is the framework's to keep.
  if (limits.scoresPerMinute === 0)
    openFastLane(app, { answerScores, observer, refusal, facts, requestId, bodyBytes: limits.bodyBytes });
  return app;
}
