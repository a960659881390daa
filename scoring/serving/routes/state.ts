import type { FastifyInstance } from 'fastify';
import Type from 'typebox';
import type { ScorerMetrics } from '../../metrics/scorer-metrics.js';
import type { ServingSets } from '../../traffic/serving-sets.js';
import * as Api from '../api-schemas.js';
import type { ControlView } from '../control-view.js';
import { metadataOf } from '../metadata.js';
import { wholeDocument } from '../openapi.js';
import { failures } from './failures.js';

export interface StateDeps {
  sets: ServingSets;
  replica: { id: string; environment: string };
  view: ControlView;
  metrics: ScorerMetrics;
}

/** What the replica says of itself: `/v1/live`, `/v1/started`, `/v1/health`, `/v1/metadata`, `/metrics`, `/openapi.json`. Nobody needs a token for it. */
export function stateRoutes(app: FastifyInstance, { sets, replica, view, metrics }: StateDeps): void {
  app.get('/v1/live', {
    schema: {
      operationId: 'getLiveness',
      tags: ['operation'],
      summary: 'The process answers',
      response: { 200: Api.Live },
    },
    handler: () => ({ status: 'live' }),
  });

  // Once is for ever: who asks it, asks no more after the first 200.
  let hasServed = false;
  app.get('/v1/started', {
    schema: {
      operationId: 'getStartup',
      tags: ['operation'],
      summary: 'There has been a bundle to serve since the start',
      response: { 200: Api.Started, 503: Api.Started },
    },
    handler: (_request, reply) => {
      hasServed ||= sets.current() !== null;
      return reply.code(hasServed ? 200 : 503).send({ status: hasServed ? 'started' : 'starting' });
    },
  });

  app.get('/v1/health', {
    schema: {
      operationId: 'getHealth',
      tags: ['operation'],
      summary: 'Whether traffic should come here',
      response: { 200: Api.Health, 503: Api.Health },
    },
    handler: async (_request, reply) => {
      const { ready, reasons, notices, predictionLog } = await view.state();
      const live = sets.current();
      const health: Api.Health = {
        status: ready ? 'ready' : 'not ready',
        reasons,
        notices,
        replica: replica.id,
        generation: live?.origin.generation ?? null,
        bundle_version: live?.champion.id.version ?? null,
        prediction_log: predictionLog,
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
      sets.use(async (set) => {
        return metadataOf(set, replica, await view.state());
      }),
  });

  app.get('/metrics', {
    schema: {
      operationId: 'getMetrics',
      tags: ['operation'],
      summary: "Metrics in Prometheus's text format",
      response: { 200: { content: { 'text/plain': { schema: Type.String() } } } },
    },
    handler: async (_request, reply) => {
      const text = await (view.metrics ?? metrics.text)();
      return reply.type(metrics.contentType).send(text);
    },
  });

  app.get('/openapi.json', {
    schema: {
      operationId: 'getOpenApi',
      tags: ['operation'],
      summary: 'This document',
      response: { 200: Type.Object({}, { description: 'OpenAPI 3.1', additionalProperties: true }) },
    },
    handler: () => wholeDocument(app.swagger(), sets.current()?.champion.loaded.requestSchema),
  });
}
