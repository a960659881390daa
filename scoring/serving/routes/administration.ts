import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyInstance, RouteShorthandOptions } from 'fastify';
import type { Logger } from 'pino';
import { SluiceError } from '../../../platform/errors.js';
import { mayAdminister, refusedAdmin } from '../admin.js';
import type { Feedback } from '../feedback.js';
import type { ControlView } from '../control-view.js';
import * as Api from '../api-schemas.js';
import { failures } from './failures.js';
import { documentOf, itemsOf } from './items.js';

const ADMIN_REQUESTS_PER_MINUTE = 60;
const FEEDBACK_REQUESTS_PER_MINUTE = 600;
/** in one request: they are recorded in one transaction of the database */
const MAX_LABELS = 1_000;

export interface AdministrationDeps {
  replica: { id: string; environment: string };
  view: ControlView;
  /** null when there is no database */
  feedback: Feedback | null;
  /** empty: these routes answer 401 to everyone */
  adminToken: string;
  log: Pick<Logger, 'info'>;
  limits: {
    /** how long `/v1/reload-artifacts` waits for the reload that it began */
    reloadMs: number;
  };
}

/** What changes something, with the admin token: `/v1/feedback`, `/v1/reload-artifacts`. */
export function administrationRoutes(
  app: FastifyInstance,
  { adminToken, view, feedback, limits, log, replica }: AdministrationDeps,
): void {
  const adminOnly = (requestsPerMinute: number): Pick<RouteShorthandOptions, 'config' | 'preParsing'> => ({
    config: { rateLimit: { max: requestsPerMinute, timeWindow: 60_000 } },
    // After the rate limit (onRequest), so that guesses are counted; before the body is read.
    preParsing: (request, _reply, _payload, done) => done(mayAdminister(request, adminToken) ? null : refusedAdmin()),
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
      if (feedback === null)
        throw new SluiceError('Conflict', 'this replica has no database (MONGODB_URI) to record labels in');
      const { items, pathOf } = itemsOf(documentOf(request.body), 'label', MAX_LABELS);
      return { request_id: request.id, ...(await feedback.record(items, pathOf)) };
    },
  });

  app.post('/v1/reload-artifacts', {
    schema: {
      operationId: 'reloadArtifacts',
      tags: ['operation'],
      summary: 'Read the pointer (or, pinned, ARTIFACTS_DIR) again and load what it names',
      security: [{ admin: [] }],
      response: { 200: Api.Reloaded, ...failures(401, 404, 409, 429, 503) },
    },
    ...adminOnly(ADMIN_REQUESTS_PER_MINUTE),
    handler: async (request): Promise<Api.Reloaded> => {
      const result = await withinDeadline(view.catchUp(), limits.reloadMs);
      if (result.outcome === 'nothing-published')
        throw new SluiceError('NotFound', `nothing has been published to ${replica.environment} yet`);
      const { version, manifest_sha256, generation } = result.live;
      log.info(
        { request_id: request.id, outcome: result.outcome, version, generation },
        'reload asked for by an administrator',
      );
      return {
        outcome: result.outcome,
        bundle_version: version,
        manifest_sha256,
        generation,
        loaded_in_ms: result.loadedInMs,
      };
    },
  });
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
