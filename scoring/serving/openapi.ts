import type { FastifyDynamicSwaggerOptions } from '@fastify/swagger';
import { ApiError, FeedbackLabel } from './api-schemas.js';
import { InferenceError, InferenceRequest } from './inference-schemas.js';
import { SANE_REQUEST_ID } from './request-id.js';

/** The document's frame; paths come from the routes' schemas. 3.1, because a bundle's request schema is JSON Schema 2020-12. */
export const describeApi: FastifyDynamicSwaggerOptions = {
  openapi: {
    openapi: '3.1.0',
    info: {
      title: 'Sluice scorer',
      version: '1',
      description:
        'Scores card transactions for fraud with the bundle that the pointer names. Every answer comes from exactly one bundle, named in `versions`. Where GET is taken, HEAD is too.',
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

interface Answer {
  description?: string;
  content?: object;
  headers?: Record<string, object>;
}
interface Operation {
  parameters?: object[];
  requestBody?: object;
  responses?: Record<string, Answer>;
}
interface Document {
  paths?: Record<string, Record<string, Operation>>;
  components?: Record<string, Record<string, object>>;
}

const ref = (kind: string, name: string) => ({ $ref: `#/components/${kind}/${name}` });
const DESCRIPTIONS: Readonly<Record<string, string>> = {
  200: 'done',
  400: 'cannot be read as what it should be',
  401: 'the admin token is missing or wrong',
  404: 'there is none of that name',
  409: 'not as things stand',
  413: 'the body is too large (`SCORER_BODY_BYTES`)',
  415: 'another content type than the route takes',
  422: 'valid JSON, and refused; `violations` name the fields',
  429: 'too many requests',
  503: 'not now: here later, or at another replica',
};
/** They say with 503 how things are, and not that the caller should try again. */
const TELLS_STATE = /^\/v1\/(health|started)$|\/ready$/;

/**
 * The whole document: what the routes say of themselves, with bodies, headers and errors that they have in common.
 * @param frame as made from the routes' schemas
 * @param requestSchema of the live bundle; undefined without one
 */
export function wholeDocument(frame: object, requestSchema: Record<string, unknown> | undefined): object {
  const document = structuredClone(frame) as Document;
  document.components = {
    ...document.components,
    ...headersOfAll,
    schemas: {
      ...document.components?.['schemas'],
      Transaction: requestSchema ?? { description: 'no bundle yet: its request schema will stand here' },
      ApiError,
      InferenceError,
    },
  };
  for (const [path, operations] of Object.entries(document.paths ?? {})) {
    for (const operation of Object.values(operations)) describe(path, operation);
  }
  const bodies: Record<string, object> = {
    '/v1/score': oneOrMany(ref('schemas', 'Transaction')),
    '/v1/feedback': oneOrMany(FeedbackLabel),
  };
  for (const [path, { post }] of Object.entries(document.paths ?? {})) {
    const schema = path.endsWith('/infer') ? InferenceRequest : bodies[path];
    if (post !== undefined && schema !== undefined)
      post.requestBody = { required: true, content: { 'application/json': { schema } } };
  }
  return document;
}

/** What every operation takes and answers besides its own. */
function describe(path: string, operation: Operation): void {
  operation.parameters = [
    ...(operation.parameters ?? []),
    ref('parameters', 'RequestId'),
    ref('parameters', 'TraceParent'),
  ];
  const schema = ref('schemas', path.startsWith('/v2') ? 'InferenceError' : 'ApiError');
  const responses: Record<string, Answer> = {
    ...operation.responses,
    default: { description: 'any other failure', content: { 'application/json': { schema } } },
  };
  for (const [status, answer] of Object.entries(responses)) {
    answer.description = DESCRIPTIONS[status] ?? answer.description ?? '';
    answer.headers = {
      'x-request-id': ref('headers', 'RequestId'),
      traceparent: ref('headers', 'TraceParent'),
      'x-bundle-version': ref('headers', 'BundleVersion'),
      'x-thresholds-sha256': ref('headers', 'ThresholdsSha256'),
      ...(status === '503' && !TELLS_STATE.test(path) && { 'retry-after': ref('headers', 'RetryAfter') }),
    };
  }
  operation.responses = responses;
}

const text = (description: string, schema: object = {}) => ({ description, schema: { type: 'string', ...schema } });
const headersOfAll = {
  parameters: {
    RequestId: {
      name: 'x-request-id',
      in: 'header',
      ...text('names the request in answers and logs; another one than this pattern is replaced', {
        pattern: SANE_REQUEST_ID.source,
      }),
    },
    TraceParent: { name: 'traceparent', in: 'header', ...text("the caller's trace, as W3C Trace Context has it") },
  },
  headers: {
    RequestId: { required: true, ...text("the caller's, or one that was made") },
    TraceParent: text("of the caller's trace, where there is one, with a span of this scorer's own"),
    BundleVersion: text('the live bundle; not without one'),
    ThresholdsSha256: text('its thresholds'),
    RetryAfter: { description: 'seconds', schema: { type: 'integer' } },
  },
};

/** Bodies are checked by the routes themselves, which never coerce types: the framework only describes them. */
function oneOrMany(one: object): object {
  return { oneOf: [one, { type: 'array', minItems: 1, items: one }] };
}
