import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileJsonSchema } from '../../platform/json-schema.js';
import { sendTo } from '../../test/support/send.js';
import { TINY_ADMIN, tinyApp, tinyDeps, type TinyApp } from '../../test/support/tiny-app.js';
import { tinyTransaction } from '../../test/support/tiny-bundle.js';
import { buildApp } from './app.js';

interface Operation {
  operationId: string;
  summary: string;
  tags: string[];
  parameters: { $ref?: string; name?: string; in?: string }[];
  requestBody?: unknown;
  responses: Record<string, { description: string; headers: object; content: Record<string, { schema: object }> }>;
}
interface Document {
  openapi: string;
  servers: unknown[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, { required?: string[] }> };
}

let tiny: TinyApp;
let empty: FastifyInstance;
let documents: [string, Document][];
beforeAll(async () => {
  tiny = await tinyApp({ model: 'counted' });
  empty = await buildApp(tinyDeps());
  const of = async (app: FastifyInstance) => (await app.inject('/openapi.json')).json<Document>();
  documents = [
    ['with a bundle', await of(tiny.app)],
    ['without one', await of(empty)],
  ];
});
afterAll(async () => {
  await tiny.close();
  await empty.close();
});

const operationsOf = ({ paths }: Document) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  );

/** `GET /v2/models/{model}`, …: what the app answers, read from the tree that it prints. */
function routesOf(app: FastifyInstance): string[] {
  const routes: string[] = [];
  const above: string[] = [];
  for (const line of app.printRoutes({ commonPrefix: false }).split('\n')) {
    const [, indent, part, methods] = /^(.*?)[├└]── (\S+)(?: \((.*)\))?$/.exec(line) ?? [];
    if (indent === undefined || part === undefined) continue;
    above.length = indent.length / 4;
    above.push(part);
    const path = above.join('').replace(/:(\w+)/g, '{$1}');
    for (const method of methods?.split(', ') ?? []) if (method !== 'HEAD') routes.push(`${method} ${path}`);
  }
  return routes.sort();
}

describe('/openapi.json', () => {
  it('is valid OpenAPI 3.1, and so is every schema in it, with and without a bundle', async () => {
    for (const [name, document] of documents) {
      expect(document.openapi).toBe('3.1.0');
      const { valid, errors } = await new Validator().validate(structuredClone(document) as never);
      expect(valid, `${name}: ${JSON.stringify(errors)}`).toBe(true);
      for (const { operation } of operationsOf(document))
        for (const { content } of Object.values(operation.responses))
          for (const { schema } of Object.values(content ?? {}))
            if (!('$ref' in schema)) compileJsonSchema(schema, operation.operationId);
      for (const [one, schema] of Object.entries(document.components.schemas)) compileJsonSchema(schema, one);
    }
    const broken = structuredClone(documents[0]?.[1]) as Document;
    broken.paths['/v1/score'] = { post: { responses: { 200: {} } } as unknown as Operation };
    expect((await new Validator().validate(broken as never)).valid).toBe(false);
  });

  it('has every route, and no other', () => {
    const routes = routesOf(tiny.app);
    expect(routes).toEqual(
      expect.arrayContaining(['POST /v1/score', 'GET /metrics', 'GET /v2', 'POST /v2/models/{model}/infer']),
    );
    for (const [, document] of documents)
      expect(
        operationsOf(document)
          .map(({ path, method }) => `${method.toUpperCase()} ${path}`)
          .sort(),
      ).toEqual(routes);
  });

  it('names every operation, so that generated clients have names too', () => {
    const [, document] = documents[0] as [string, Document];
    const operations = operationsOf(document).map(({ operation }) => operation);
    expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
    const tags = document.tags.map(({ name }) => name);
    for (const { operationId, summary, tags: own } of operations) {
      expect(operationId).toMatch(/^[a-z]+[A-Z]\w+$/);
      expect(summary).not.toBe('');
      expect(own).toHaveLength(1);
      expect(tags).toContain(own[0]);
    }
    expect(document.servers).toEqual([{ url: '/' }]);
  });

  it('describes bodies, the query, and the headers that come and go', () => {
    const [, document] = documents[0] as [string, Document];
    for (const { path, method, operation } of operationsOf(document)) {
      expect(operation.parameters.map(({ $ref }) => $ref)).toEqual(
        expect.arrayContaining(['#/components/parameters/RequestId', '#/components/parameters/TraceParent']),
      );
      const takesBody = method === 'post' && path !== '/v1/reload-artifacts';
      expect([path, operation.requestBody !== undefined]).toEqual([path, takesBody]);
      for (const { headers, description } of Object.values(operation.responses)) {
        const names = ['x-request-id', 'traceparent', 'x-bundle-version', 'x-thresholds-sha256'];
        expect(Object.keys(headers)).toEqual(expect.arrayContaining(names));
        expect(description).not.toBe('Default Response');
      }
    }
    const score = document.paths['/v1/score']?.['post'] as Operation;
    expect(score.parameters).toContainEqual(expect.objectContaining({ name: 'explain', in: 'query' }));
    expect(document.components.schemas['Transaction']?.required).toContain('amount');
  });

  it.each<[method: 'GET' | 'POST', route: string, path: string, body: unknown, status: number, onEmpty?: boolean]>([
    ['GET', '/v1/live', '/v1/live', null, 200],
    ['GET', '/v1/started', '/v1/started', null, 200],
    ['GET', '/v1/started', '/v1/started', null, 503, true],
    ['GET', '/v1/health', '/v1/health', null, 200],
    ['GET', '/v1/metadata', '/v1/metadata', null, 200],
    ['GET', '/v1/metadata', '/v1/metadata', null, 503, true],
    ['GET', '/metrics', '/metrics', null, 200],
    ['GET', '/openapi.json', '/openapi.json', null, 200],
    ['GET', '/v2', '/v2', null, 200],
    ['GET', '/v2/health/live', '/v2/health/live', null, 200],
    ['GET', '/v2/health/ready', '/v2/health/ready', null, 200],
    ['GET', '/v2/models/{model}', '/v2/models/tiny', null, 200],
    ['GET', '/v2/models/{model}', '/v2/models/big', null, 404],
    ['GET', '/v2/models/{model}/ready', '/v2/models/tiny/ready', null, 200],
    ['GET', '/v2/models/{model}/ready', '/v2/models/tiny/ready', null, 503, true],
    ['POST', '/v1/score', '/v1/score', tinyTransaction, 200],
    ['POST', '/v1/score', '/v1/score?explain=true', [tinyTransaction], 200],
    ['POST', '/v1/score', '/v1/score', {}, 422],
    ['POST', '/v1/score', '/v1/score', tinyTransaction, 503, true],
    ['POST', '/v1/feedback', '/v1/feedback', {}, 409],
    ['POST', '/v1/reload-artifacts', '/v1/reload-artifacts', {}, 404],
    ['POST', '/v2/models/{model}/infer', '/v2/models/tiny/infer', inference(tinyTransaction), 200],
    ['POST', '/v2/models/{model}/infer', '/v2/models/tiny/infer', inference({}), 422],
    ['POST', '/v2/models/{model}/infer', '/v2/models/tiny/infer', {}, 400],
  ])('%s %s is answered as it says: %s %j %i', async (method, route, path, body, status, onEmpty = false) => {
    const [, document] = documents[onEmpty ? 1 : 0] as [string, Document];
    const { headers, content } = document.paths[route]?.[method.toLowerCase()]?.responses[status] ?? {};
    const app = onEmpty ? empty : tiny.app;
    const response =
      method === 'GET' || onEmpty
        ? await app.inject({
            method,
            url: path,
            ...(method === 'GET'
              ? {}
              : { headers: { 'content-type': 'application/json' }, payload: JSON.stringify(body) }),
          })
        : await sendTo(app, JSON.stringify(body), { authorization: `Bearer ${TINY_ADMIN}` }, path);
    expect(response.statusCode, response.body).toBe(status);
    expect(Object.keys(response.headers)).toEqual(
      expect.arrayContaining(onEmpty ? ['x-request-id'] : ['x-request-id', 'x-bundle-version', 'x-thresholds-sha256']),
    );
    expect('retry-after' in response.headers).toBe('retry-after' in (headers ?? {}));
    const type = String(response.headers['content-type']).split(';')[0] ?? '';
    const schema = content?.[type]?.schema;
    expect(schema, `${type} is not described`).toBeDefined();
    const validate = new Ajv2020({ strict: false }).compile(schema as object);
    expect(validate(type === 'text/plain' ? response.body : response.json()), JSON.stringify(validate.errors)).toBe(
      true,
    );
  });
});

function inference(transaction: object): object {
  const data = [JSON.stringify(transaction)];
  return { inputs: [{ name: 'transactions', datatype: 'BYTES', shape: [1], data }] };
}
