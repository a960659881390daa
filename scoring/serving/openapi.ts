import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { FeedbackLabel } from './api-schemas.js';

/** The document's frame; paths come from the routes' schemas. 3.1, because a bundle's request schema is JSON Schema 2020-12. */
export const describeApi: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Sluice scorer',
      version: '1',
      description:
        'Scores card transactions for fraud with the bundle that the pointer names. Every answer comes from exactly one bundle, named in `versions`.',
    },
    // Where the document was read from: every replica serves its own.
    servers: [{ url: '/' }],
    tags: [
      { name: 'scoring', description: 'scores transactions' },
      { name: 'inference', description: 'the Open Inference Protocol, version 2' },
      { name: 'feedback', description: 'records fraud labels' },
      { name: 'operation', description: 'says what is live, and reloads it' },
    ],
    components: { securitySchemes: { admin: { type: 'http', scheme: 'bearer' } } },
  },
};

/** The document, with the live bundle's request schema as the body of `/v1/score`. */
export function withRequestSchema(frame: object, requestSchema: Record<string, unknown> | undefined): object {
  const document = structuredClone(frame) as {
    paths?: Record<string, { post?: Record<string, unknown> }>;
    components?: { schemas?: Record<string, unknown> };
  };
  const transaction = requestSchema ?? { description: 'no bundle yet: its request schema will stand here' };
  const one = { $ref: '#/components/schemas/Transaction' };
  document.components = {
    ...document.components,
    schemas: { ...document.components?.schemas, Transaction: transaction },
  };
  const post = document.paths?.['/v1/score']?.post;
  if (post !== undefined) {
    post['requestBody'] = oneOrMany(one);
  }
  const feedback = document.paths?.['/v1/feedback']?.post;
  if (feedback !== undefined) feedback['requestBody'] = oneOrMany(FeedbackLabel);
  return document;
}

/** Bodies are checked by the routes themselves, which never coerce types: the framework only describes them. */
function oneOrMany(one: object): object {
  return {
    required: true,
    content: { 'application/json': { schema: { oneOf: [one, { type: 'array', minItems: 1, items: one }] } } },
  };
}
