import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import underPressure from '@fastify/under-pressure';
import Fastify, { LogController, type FastifyInstance, type FastifyRequest, type RouteShorthandOptions } from 'fastify';
import type { Logger } from 'pino';
import { SluiceError } from '../platform/errors.js';
import { mayAdminister, refusedAdmin } from './admin.js';
import { toAnswer } from './api-errors.js';
import * as Api from './api-schemas.js';
import type { BundleHost } from './bundle-host.js';
import type { Feedback } from './feedback.js';
import { answerBadPath, answerBrokenRequest, answerNoRoute } from './http-errors.js';
import { parseJsonBody } from './json-body.js';
import { metadataOf } from './metadata.js';
import { describeApi, withRequestSchema } from './openapi.js';
import type { CatchUp } from './pointer-follower.js';
import type { PredictionLog } from './prediction-log/prediction-log.js';
import { scoredRequest } from './prediction-log/scored-request.js';
import type { Readiness } from './readiness.js';

export interface AppDeps {
  host: BundleHost;
  replica: { id: string; environment: string };
  readiness: () => Readiness;
  /** shutting down: everything is still answered, but clients are told to reconnect elsewhere */
  draining: () => boolean;
  /** follows the pointer now; null when the bundle is pinned */
  catchUp: (() => Promise<CatchUp>) | null;
  /** null when it is off, or there is no database */
  predictionLog: PredictionLog | null;
  /** null when there is no database */
  feedback: Feedback | null;
  /** empty: the admin route answers 401 to everyone */
  adminToken: string;
  log: Logger;
  limits: ApiLimits;
}

export interface ApiLimits {
  /** transactions in one request */
  maxTransactions: number;
  bodyBytes: number;
  /** `/v1/score` requests per minute and client address; 0: no limit */
  scoresPerMinute: number;
  /** how long `/v1/reload-artifacts` waits for the reload that it began */
  reloadMs: number;
  /** how long a request may take to arrive, headers and body, before its connection is closed with 408 */
  requestMs: number;
}

const ADMIN_REQUESTS_PER_MINUTE = 60;
const FEEDBACK_REQUESTS_PER_MINUTE = 600;
/** in one request: they are recorded in one transaction of the database */
const MAX_LABELS = 1_000;
const CHECK_CONNECTIONS_MS = 1_000;
/**
 * A mean delay of the event loop over one second that only a stuck process has: this is for shedding load before the process dies,
 * never for an ordinary peak (invariant 4).
 */
const STUCK_EVENT_LOOP_MS = 5_000;
const SANE_REQUEST_ID = /^[\w.:-]{1,128}$/;

/** The scorer's HTTP API. Holds no state: what it answers with is the host's bundle. */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  const { host, limits, log } = deps;
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
  routes(app, deps);
  await app.ready();
  return app;

  function routes(app: FastifyInstance, { readiness, replica }: AppDeps): void {
    const adminOnly = (requestsPerMinute: number): Pick<RouteShorthandOptions, 'config' | 'preParsing'> => ({
      config: { rateLimit: { max: requestsPerMinute, timeWindow: 60_000 } },
      // After the rate limit (onRequest), so that guesses are counted; before the body is read.
      preParsing: (request, _reply, _payload, done) =>
        done(mayAdminister(request, deps.adminToken) ? null : refusedAdmin()),
    });
    const failures = (...statuses: number[]) => Object.fromEntries(statuses.map((status) => [status, Api.ApiError]));

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
      handler: (request) =>
        host.use(async (live): Promise<Api.ScoreResponse> => {
          const { items, pathOf } = itemsOf(request.body, 'transaction', limits.maxTransactions);
          const scored = await live.score(items, pathOf);
          const body = bodies.get(request);
          if (body !== undefined) deps.predictionLog?.offer(scoredRequest(request.id, body, live, scored));
          return { request_id: request.id, results: scored.results, versions: live.versions };
        }),
    });

    app.get('/v1/live', {
      schema: {
        operationId: 'getLiveness',
        tags: ['operation'],
        summary: 'The process answers',
        response: { 200: { type: 'object', properties: { status: { const: 'live' } } } },
      },
      handler: () => ({ status: 'live' }),
    });

    app.get('/v1/health', {
      schema: {
        operationId: 'getHealth',
        tags: ['operation'],
        summary: 'Whether traffic should come here',
        response: { 200: Api.Health, 503: Api.Health },
      },
      handler: (_request, reply) => {
        const { ready, reasons, notices } = readiness();
        const live = host.current();
        const health: Api.Health = {
          status: ready ? 'ready' : 'not ready',
          reasons,
          notices,
          replica: replica.id,
          generation: live?.origin.generation ?? null,
          bundle_version: live?.loaded.version ?? null,
          prediction_log: deps.predictionLog?.status() ?? null,
        };
        return reply.code(ready ? 200 : 503).send(health);
      },
    });

    app.get('/v1/metadata', {
      schema: {
        operationId: 'getMetadata',
        tags: ['operation'],
        summary: 'What is live here, and what it was made from',
        response: { 200: Api.Metadata, ...failures(503) },
      },
      handler: () =>
        host.use((live) => Promise.resolve(metadataOf(live, replica, deps.predictionLog?.status() ?? null))),
    });

    app.post('/v1/feedback', {
      schema: {
        operationId: 'recordLabels',
        tags: ['feedback'],
        summary: 'Record fraud labels (one or a list); atomic',
        security: [{ admin: [] }],
        response: { 200: Api.FeedbackRecorded, ...failures(400, 401, 409, 413, 415, 422, 429, 503) },
      },
      ...adminOnly(FEEDBACK_REQUESTS_PER_MINUTE),
      handler: async (request): Promise<Api.FeedbackRecorded> => {
        if (deps.feedback === null)
          throw new SluiceError('Conflict', 'this replica has no database (MONGODB_URI) to record labels in');
        const { items, pathOf } = itemsOf(request.body, 'label', MAX_LABELS);
        return { request_id: request.id, ...(await deps.feedback.record(items, pathOf)) };
      },
    });

    app.post('/v1/reload-artifacts', {
      schema: {
        operationId: 'reloadArtifacts',
        tags: ['operation'],
        summary: 'Read the pointer again and load what it names',
        security: [{ admin: [] }],
        response: { 200: Api.Reloaded, ...failures(401, 404, 409, 429, 503) },
      },
      ...adminOnly(ADMIN_REQUESTS_PER_MINUTE),
      handler: async (request): Promise<Api.Reloaded> => {
        if (deps.catchUp === null)
          throw new SluiceError(
            'Conflict',
            'this replica is pinned to ARTIFACTS_DIR and follows no pointer; restart it without ARTIFACTS_DIR, or with another',
          );
        const result = await withinDeadline(deps.catchUp(), limits.reloadMs);
        if (result.outcome === 'nothing-published')
          throw new SluiceError('NotFound', `nothing has been published to ${replica.environment} yet`);
        const { version, manifest_sha256, generation } = result.pointer;
        request.log.info({ outcome: result.outcome, version, generation }, 'reload asked for by an administrator');
        return {
          outcome: result.outcome,
          bundle_version: version,
          manifest_sha256,
          generation,
          loaded_in_ms: result.loadedInMs,
        };
      },
    });

    app.get('/openapi.json', {
      schema: { hide: true },
      handler: () => withRequestSchema(app.swagger(), host.current()?.loaded.requestSchema),
    });
  }
}

/** @throws SluiceError Unreachable when it is not over in time; it goes on, and its end shows in `/v1/health` */
async function withinDeadline<T>(work: Promise<T>, ms: number): Promise<T> {
  const over = new AbortController();
  const late = delay(ms, null, { signal: over.signal });
  try {
    const first = await Promise.race([work.then((value) => ({ value })), late]);
    if (first !== null) return first.value;
    work.catch(() => undefined);
    throw new SluiceError(
      'Unreachable',
      `the reload is not over after ${ms / 1000} s and goes on; \`GET /v1/health\` says what it waits for`,
    );
  } finally {
    over.abort();
    late.catch(() => undefined);
  }
}

/** One, or a list of at least one and at most `max`. */
function itemsOf(
  body: unknown,
  what: string,
  max: number,
): { items: readonly unknown[]; pathOf: (index: number) => string } {
  if (body === undefined)
    throw new SluiceError('InvalidInput', `the body is empty: send one ${what} or a list of ${what}s as JSON`);
  if (!Array.isArray(body)) return { items: [body], pathOf: () => '' };
  if (body.length === 0) throw new SluiceError('InvalidInput', `the list is empty: send at least one ${what}`);
  if (body.length > max)
    throw new SluiceError('InvalidInput', `the list has ${body.length} ${what}s; at most ${max} fit into one request`);
  return { items: body as unknown[], pathOf: (index) => `/${index}` };
}
