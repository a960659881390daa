import type { FastifyInstance } from 'fastify';
import type { BundleHost } from '../../traffic/bundle-host.js';
import type { PredictionLog } from '../../prediction-log/prediction-log.js';
import type { Readiness } from '../../control/readiness.js';
import * as Api from '../api-schemas.js';
import { metadataOf } from '../metadata.js';
import { withRequestSchema } from '../openapi.js';
import { failures } from './failures.js';

export interface StateDeps {
  host: BundleHost;
  replica: { id: string; environment: string };
  readiness: () => Readiness;
  /** null when it is off, or there is no database */
  predictionLog: PredictionLog | null;
}

/** What the replica says of itself: `/v1/live`, `/v1/health`, `/v1/metadata`, `/openapi.json`. Nobody needs a token for it. */
export function stateRoutes(app: FastifyInstance, { host, readiness, replica, predictionLog }: StateDeps): void {
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
        prediction_log: predictionLog?.status() ?? null,
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
    handler: () => host.use((live) => Promise.resolve(metadataOf(live, replica, predictionLog?.status() ?? null))),
  });

  app.get('/openapi.json', {
    schema: { hide: true },
    handler: () => withRequestSchema(app.swagger(), host.current()?.loaded.requestSchema),
  });
}
