import { randomUUID } from 'node:crypto';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import underPressure from '@fastify/under-pressure';
import Fastify, { LogController, type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { toAnswer } from './api-errors.js';
import { answerBadPath, answerBrokenRequest, answerNoRoute } from './http-errors.js';
import { parseJsonBody } from './json-body.js';
import { describeApi } from './openapi.js';
import { administrationRoutes, type AdministrationDeps } from './routes/administration.js';
import { scoreRoute, type ScoreDeps } from './routes/score.js';
import { stateRoutes, type StateDeps } from './routes/state.js';

export interface AppDeps extends ScoreDeps, StateDeps, AdministrationDeps {
  /** shutting down: everything is still answered, but clients are asked to reconnect elsewhere */
  draining: () => boolean;
  log: Logger;
  limits: ScoreDeps['limits'] &
    AdministrationDeps['limits'] & {
      bodyBytes: number;
      /** how long a request may take to arrive, headers and body, before its connection is closed with 408 */
      requestMs: number;
    };
}

const CHECK_CONNECTIONS_MS = 1_000;
/**
 * A mean delay of the event loop over one second that only a stuck process has: this is for shedding load before the process dies,
 * never for an ordinary peak (invariant 4).
 */
const STUCK_EVENT_LOOP_MS = 5_000;
const SANE_REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The scorer's HTTP API. Holds no state: what it answers with is the host's bundle. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { limits, log } = deps;
  const app = Fastify({
    loggerInstance: log,
    // A line per request would cost more than the score; what went wrong is logged below, bodies never are.
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    bodyLimit: limits.bodyBytes,
    genReqId: ({ headers: { 'x-request-id': given } }) =>
      typeof given === 'string' && SANE_REQUEST_ID.test(given) ? given : randomUUID(),
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
  }) as unknown as FastifyInstance;

  /** as they came, for the prediction log */
  const bodies = new WeakMap<FastifyRequest, Buffer>();
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    try {
      const bytes = body as Buffer;
      done(null, bytes.length === 0 ? undefined : parseJsonBody(bytes));
      if (deps.predictionLog !== null) bodies.set(request, bytes);
    } catch (error) {
      done(error as Error);
    }
  });
  app.setErrorHandler(async (error, request, reply) => {
    const { status, error: shown } = toAnswer(error, limits);
    if (status >= 500) request.log.error({ err: error, url: request.routeOptions.url }, 'request failed');
    if (status === 503) reply.header('retry-after', '1');
    return reply.code(status).send({ error: shown, request_id: request.id });
  });
  app.setNotFoundHandler((request, reply) => answerNoRoute(app, request, reply));
  app.addHook('onSend', (request, reply, _payload, done) => {
    reply.header('x-request-id', request.id);
    // Clients that keep connections open find another replica before this one is gone.
    if (deps.draining()) reply.header('connection', 'close');
    done();
  });

  // Nothing here is a page: one directive says so, the default dozen would only be sent with every answer.
  await app.register(helmet, { contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"] } } });
  await app.register(rateLimit, { global: false });
  await app.register(underPressure, { maxEventLoopDelay: STUCK_EVENT_LOOP_MS, retryAfter: 1 });
  await app.register(swagger, describeApi);
  scoreRoute(app, deps, (request) => bodies.get(request));
  stateRoutes(app, deps);
  administrationRoutes(app, deps);
  await app.ready();
  return app;
}
