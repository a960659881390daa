import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import fc from 'fast-check';
import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';
import { openTiny } from '../../test/support/live-tiny-bundle.js';
import { appDeps } from '../../test/support/app-deps.js';
import { sendTo } from '../../test/support/send.js';
import { tinyTransaction } from '../../test/support/tiny-bundle.js';
import { createAjv } from '../../platform/validate.js';
import * as Api from './api-schemas.js';
import type { ApiError, Health, Metadata, ScoreResponse } from './api-schemas.js';
import { buildApp, type AppDeps } from './app.js';
import { createServingSets, type ServingSets } from '../traffic/serving-sets.js';
import type { Readiness } from '../control/readiness.js';

const ADMIN = 'a-long-admin-token';
let sets: ServingSets;
let app: FastifyInstance;
let ready: Readiness = { ready: true, reasons: [], notices: [] };

const deps = (): AppDeps => {
  const base = appDeps(sets, { maxTransactions: 3, bodyBytes: 10_000, waitMs: 1_000 }, { adminToken: ADMIN });
  const state = () => Promise.resolve({ ...ready, predictionLog: null, staleSince: null });
  return { ...base, view: { ...base.view, state } };
};

beforeAll(async () => {
  sets = createServingSets(({ champion }) => void champion.close());
  sets.replace(await openTiny({ generation: 7 }));
  app = await buildApp(deps());
  await app.listen({ host: '127.0.0.1', port: 0 });
});
afterAll(async () => {
  await app.close();
  sets.replace(null);
});

/** Over a connection, as clients do: the fast lane is before the framework. */
const post = (payload: string | Buffer, headers: Record<string, string> = {}) => sendTo(app, payload, headers);
const score = (body: unknown) => post(JSON.stringify(body));
const reload = (token?: string) =>
  app.inject({
    method: 'POST',
    url: '/v1/reload-artifacts',
    headers: token === undefined ? {} : { authorization: token },
  });

describe('POST /v1/score', () => {
  it('answers one transaction with everything that decided it', async () => {
    const response = await score(tinyTransaction);
    expect(response.statusCode).toBe(200);
    const { results, versions, request_id } = response.json<ScoreResponse>();
    expect(request_id).toBe(response.headers['x-request-id']);
    expect(versions).toMatchObject({
      model: 'tiny',
      model_version: '1',
      bundle_version: '20250630-120000-1.0.0-0a1b2c3',
      generation: 7,
      fx_last_updated: '2025-06-19T14:00:00Z',
    });
    const [result] = results;
    expect(result).toMatchObject({
      transaction_id: 't-1',
      decided_by: { kind: 'threshold', name: 'operating', limit: 0.5 },
      threshold: 0.5,
      notices: [],
    });
    expect(result?.reason_codes).toEqual([expect.objectContaining({ code: 'UNUSUAL_AMOUNT', feature: 'amount_z' })]);
    expect(result?.decision).toBe((result?.calibrated_probability ?? 0) >= 0.5 ? 'alert' : 'pass');
  });

  it('names in its headers what answered, and hands on the trace of the caller', async () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const response = await post(JSON.stringify(tinyTransaction), { traceparent: `00-${trace}-00f067aa0ba902b7-01` });
    const { versions } = response.json<ScoreResponse>();
    expect(response.headers).toMatchObject({
      'x-bundle-version': versions.bundle_version,
      'x-thresholds-sha256': versions.thresholds_sha256,
      'x-content-type-options': 'nosniff',
      traceparent: expect.stringMatching(new RegExp(`^00-${trace}-[0-9a-f]{16}-01$`)) as string,
    });
    expect((await score({})).headers).toMatchObject({ 'x-bundle-version': versions.bundle_version });
    expect((await score(tinyTransaction)).headers['traceparent']).toBeUndefined();
  });

  it('is an answer of the declared shape, whatever is in it', async () => {
    const validate = createAjv().compile(JSON.parse(JSON.stringify(Api.ScoreResponse)) as object);
    const awkward = {
      transaction_id: '"\\\u2028\ud800',
      merchant_name: '',
      operation_type: 'never heard',
      amount: 1e6,
    };
    for (const body of [tinyTransaction, [tinyTransaction, { ...tinyTransaction, ...awkward }]]) {
      const response = await score(body);
      expect(response.statusCode).toBe(200);
      expect(validate(response.json()), JSON.stringify(validate.errors)).toBe(true);
    }
  });

  it('is counted by status, rows and alerts', async () => {
    const figure = async (name: string) => {
      const { body, headers } = await app.inject({ method: 'GET', url: '/metrics' });
      expect(headers['content-type']).toContain('text/plain');
      return Number(
        body
          .split('\n')
          .find((line) => line.startsWith(`${name} `))
          ?.split(' ')
          .at(-1) ?? 0,
      );
    };
    const names = [
      'sluice_scorer_requests_total{route="score",status="200"}',
      'sluice_scorer_requests_total{route="score",status="422"}',
      'sluice_scorer_rows_total{arm="champion"}',
      'sluice_scorer_alerts_total{arm="champion"}',
    ];
    const before = await Promise.all(names.map(figure));
    await score([tinyTransaction, { ...tinyTransaction, amount: 1e6 }]);
    await score({});
    const after = await Promise.all(names.map(figure));
    const [ok, refused, rows, alerts] = after.map((value, index) => value - (before[index] ?? 0));
    expect([ok, refused, rows]).toEqual([1, 1, 2]);
    expect(alerts).toBeGreaterThanOrEqual(1);
    expect(await figure('sluice_scorer_generation')).toBe(7);
  });

  it('answers a list in its order, each as it would alone', async () => {
    const amounts = [1, 90, 300];
    const list = await score(amounts.map((amount) => ({ ...tinyTransaction, transaction_id: `a-${amount}`, amount })));
    const alone = await Promise.all(
      amounts.map(
        async (amount) =>
          (await score({ ...tinyTransaction, transaction_id: `a-${amount}`, amount })).json<ScoreResponse>().results[0],
      ),
    );
    expect(list.json<ScoreResponse>().results).toEqual(alone);
  });

  it('says which rule decided, and with what', async () => {
    const { results } = (await score({ ...tinyTransaction, amount: 1e6 })).json<ScoreResponse>();
    expect(results[0]).toMatchObject({
      decision: 'alert',
      decided_by: { kind: 'rule', name: 'huge-amount', limit: 8 },
    });
    expect(results[0]?.reason_codes[0]).toMatchObject({ code: 'HUGE_AMOUNT', feature: 'log_amount' });
  });

  it('scores by the null policy and says so', async () => {
    const { results } = (
      await score({ ...tinyTransaction, merchant_name: '', operation_type: 'never heard' })
    ).json<ScoreResponse>();
    expect(results[0]?.notices.map(({ path }) => path)).toEqual(
      expect.arrayContaining(['/merchant_name', '/operation_type']),
    );
  });

  it.each<[string, unknown, string[]]>([
    ['a number as text: never coerced', { ...tinyTransaction, amount: '120.5' }, ['/amount']],
    ['a text as number', { ...tinyTransaction, customer_id: 5 }, ['/customer_id']],
    ['null', { ...tinyTransaction, amount: null }, ['/amount']],
    ['a boolean', { ...tinyTransaction, currency: true }, ['/currency']],
    ['a negative amount', { ...tinyTransaction, amount: -1 }, ['/amount']],
    ['no time', { ...tinyTransaction, booked_at: 'yesterday' }, ['/booked_at']],
    ['a day that does not exist', { ...tinyTransaction, booked_at: '2025-02-30T00:00:00Z' }, ['/booked_at']],
    ['a currency that no fixing quotes', { ...tinyTransaction, currency: 'XYZ' }, ['/currency']],
    ['an unknown key', { ...tinyTransaction, colour: 'red' }, ['/colour']],
    ['two mistakes', { ...tinyTransaction, amount: 'x', currency: 'euro' }, ['/amount', '/currency']],
    ['nothing', {}, Object.keys(tinyTransaction).map((field) => `/${field}`)],
    ['a missing field', { ...tinyTransaction, amount: undefined }, ['/amount']],
    ['the second of a list', [tinyTransaction, { ...tinyTransaction, amount: [] }], ['/1/amount']],
    ['a list in a list', [[tinyTransaction]], ['/0']],
    ['no transaction at all', 'hello', ['']],
    ['an amount too large for the model', { ...tinyTransaction, amount: 1e300 }, ['/amount']],
  ])('refuses %s with 422 and the path', async (_name, body, paths) => {
    const response = await score(body);
    expect(response.statusCode).toBe(422);
    const { error } = response.json<ApiError>();
    expect(error.type).toBe('InvalidInput');
    expect(error.violations?.map(({ path }) => path).sort()).toEqual([...paths].sort());
  });

  it.each<[string, string | Buffer, number]>([
    ['an amount out of range', JSON.stringify(tinyTransaction).replace('120.5', '1e999'), 422],
    ['NaN', JSON.stringify(tinyTransaction).replace('120.5', 'NaN'), 400],
    ['the same key twice', JSON.stringify(tinyTransaction).replace('{', '{"amount":1,'), 400],
    ['the same key twice, escaped', JSON.stringify(tinyTransaction).replace('{', '{"am\\u006funt":1,'), 400],
    ['invalid UTF-8', Buffer.from(JSON.stringify(tinyTransaction).replace('Corner', '\xff'), 'latin1'), 400],
    ['__proto__', JSON.stringify(tinyTransaction).replace('{', '{"__proto__":{"amount":1},'), 422],
    ['an empty body', '', 400],
    ['an empty list', '[]', 400],
    ['too many', JSON.stringify([1, 2, 3, 4].map(() => tinyTransaction)), 400],
    ['too large', JSON.stringify({ ...tinyTransaction, merchant_name: 'x'.repeat(20_000) }), 413],
  ])('refuses %s', async (_name, body, status) => {
    const response = await post(body);
    expect(response.statusCode).toBe(status);
    expect(response.json<ApiError>().error.message).not.toBe('');
  });

  it('takes JSON only, and says so', async () => {
    const response = await post('amount=1', { 'content-type': 'application/x-www-form-urlencoded' });
    expect(response.statusCode).toBe(415);
    expect(response.json<ApiError>().error.message).toBe('the content type must be application/json');
  });

  it('says how large a body may be', async () => {
    const response = await score({ ...tinyTransaction, merchant_name: 'x'.repeat(20_000) });
    expect(response.statusCode).toBe(413);
    expect(response.json<ApiError>().error.message).toContain('10000 bytes');
  });

  it('has a sentence for a body that is no object', async () => {
    expect((await score('hello')).json<ApiError>().error.message).toBe('the request is refused: it must be object');
  });

  it('shows a reason’s figure as a person would write it', async () => {
    const { results } = (await score({ ...tinyTransaction, amount: 1e6 })).json<ScoreResponse>();
    const [{ value } = { value: 0 }] = results[0]?.reason_codes ?? [];
    expect(String(value).length).toBeLessThanOrEqual(10);
    expect(results[0]?.decided_by.value).toBe(value);
  });

  it.each([
    ['2999-01-01T00:00:00Z', true],
    ['2025-06-28T00:00:00Z', true],
    ['2025-06-26T23:00:00Z', false],
  ])('booked at %s, long after the newest exchange rate: %s', async (booked_at, late) => {
    const { results } = (await score({ ...tinyTransaction, booked_at })).json<ScoreResponse>();
    const found = results[0]?.notices.some(
      ({ path, message }) => path === '/booked_at' && message.includes('2025-06-19'),
    );
    expect(found).toBe(late);
  });

  it.each(readdirSync(projectPath('test', 'corpora', 'json-test-suite')).filter((name) => name.endsWith('.json')))(
    'JSONTestSuite %s',
    async (name) => {
      const response = await post(readFileSync(projectPath('test', 'corpora', 'json-test-suite', name)));
      // Nothing in the suite is a transaction: what is JSON fails the request schema, what is not fails before.
      const allowed = name.startsWith('n_') ? [400, 413] : name.startsWith('y_') ? [400, 422] : [400, 413, 422];
      expect(allowed).toContain(response.statusCode);
      if (name.startsWith('y_') && response.statusCode === 400)
        expect(response.json<ApiError>().error.message).toMatch(/same key twice|list is empty|the list has/);
    },
  );

  it('takes naughty strings for what they are', async () => {
    const strings = JSON.parse(readFileSync(projectPath('test', 'corpora', 'blns.json'), 'utf8')) as string[];
    for (const text of strings) {
      const transaction = { ...tinyTransaction, transaction_id: text, merchant_name: text, operation_type: text };
      const response = await score(transaction);
      expect([200, 422]).toContain(response.statusCode);
      if (response.statusCode === 200) expect(response.json<ScoreResponse>().results[0]?.transaction_id).toBe(text);
    }
  });

  it('answers any JSON with a reason and never with a failure of its own', async () => {
    const field = fc.constantFrom(...Object.keys(tinyTransaction));
    const nearly = fc.tuple(field, fc.jsonValue()).map(([name, value]) => ({ ...tinyTransaction, [name]: value }));
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), nearly, fc.array(nearly, { maxLength: 4 })), async (body) => {
        const response = await score(body);
        expect([200, 400, 422]).toContain(response.statusCode);
        if (response.statusCode !== 200) expect(response.json<ApiError>().error.message).not.toBe('');
      }),
      { numRuns: 300 },
    );
  });

  it('keeps a sane request id and replaces another', async () => {
    expect((await post(JSON.stringify(tinyTransaction), { 'x-request-id': 'abc-1' })).headers['x-request-id']).toBe(
      'abc-1',
    );
    expect((await post(JSON.stringify(tinyTransaction), { 'x-request-id': 'a b' })).headers['x-request-id']).toMatch(
      /^[0-9a-f-]{36}$/,
    );
  });
});

describe('the other routes', () => {
  it('health follows readiness', async () => {
    expect((await app.inject('/v1/health')).json<Health>()).toMatchObject({
      status: 'ready',
      generation: 7,
      replica: 'r-1',
    });
    ready = { ready: false, reasons: ['catching up with the pointer'], notices: ['n'] };
    const response = await app.inject('/v1/health');
    expect(response.statusCode).toBe(503);
    expect(response.json<Health>()).toMatchObject({
      status: 'not ready',
      reasons: ['catching up with the pointer'],
      notices: ['n'],
    });
    expect((await app.inject('/v1/live')).json()).toEqual({ status: 'live' });
    ready = { ready: true, reasons: [], notices: [] };
  });

  it('has started once there was a bundle, whatever becomes of it', async () => {
    const fresh = createServingSets(() => undefined);
    const starting = await buildApp({ ...deps(), sets: fresh });
    const started = async () => {
      const { statusCode, body } = await starting.inject('/v1/started');
      return [statusCode, JSON.parse(body)] as unknown[];
    };
    expect(await started()).toEqual([503, { status: 'starting' }]);
    fresh.replace(sets.current());
    ready = { ready: false, reasons: ['catching up with the pointer'], notices: [] };
    expect(await started()).toEqual([200, { status: 'started' }]);
    fresh.replace(null);
    expect(await started()).toEqual([200, { status: 'started' }]);
    ready = { ready: true, reasons: [], notices: [] };
    await starting.close();
  });

  it('metadata names what is live', async () => {
    const metadata = (await app.inject('/v1/metadata')).json<Metadata>();
    expect(metadata).toMatchObject({
      mlflow_run_id: 'run-1',
      git_sha: '0a1b2c3',
      generation: 7,
      from: 'store',
      environment: 'production',
      thresholds: { threshold: 0.5, per_category: { atm: 0.9 } },
    });
    expect(Object.keys(metadata.artifact_checksums)).toContain('pipeline.onnx');
    expect(metadata.lookups['rates']).toMatchObject({ version: '2025-06-30-0' });
  });

  it('reload wants the admin token', async () => {
    expect((await reload()).statusCode).toBe(401);
    expect((await reload('Bearer wrong')).statusCode).toBe(401);
    expect((await reload(ADMIN)).statusCode).toBe(401);
    expect((await reload(`Bearer ${ADMIN}`)).statusCode).toBe(404);
  });

  it('counts guesses of the admin token, and stops answering them', async () => {
    const guessed = await buildApp(deps());
    const guess = () =>
      guessed.inject({ method: 'POST', url: '/v1/reload-artifacts', headers: { authorization: 'Bearer guess' } });
    const statuses = [];
    for (let count = 0; count < 61; count += 1) statuses.push((await guess()).statusCode);
    expect(statuses.at(0)).toBe(401);
    expect(statuses.at(-1)).toBe(429);
    await guessed.close();
  });

  it('does not wait for ever for a reload that never ends', async () => {
    const slow = await buildApp({
      ...deps(),
      view: { ...deps().view, catchUp: () => new Promise(() => undefined) },
      limits: { ...deps().limits, reloadMs: 20 },
    });
    const response = await slow.inject({
      method: 'POST',
      url: '/v1/reload-artifacts',
      headers: { authorization: `Bearer ${ADMIN}` },
    });
    expect(response.statusCode).toBe(503);
    expect(response.json<ApiError>().error.message).toMatch(/not over after 0.02 s and goes on/);
    await slow.close();
  });

  it('a replica without an admin token lets nobody in, a pinned one answers without a generation', async () => {
    const live = { version: 'v', manifest_sha256: 'm', generation: null };
    const catchUp = () => Promise.resolve({ outcome: 'loaded' as const, live, loadedInMs: 12 });
    const [closed, pinned] = await Promise.all([
      buildApp({ ...deps(), adminToken: '' }),
      buildApp({ ...deps(), view: { ...deps().view, catchUp } }),
    ]);
    const request = {
      method: 'POST',
      url: '/v1/reload-artifacts',
      headers: { authorization: `Bearer ${ADMIN}` },
    } as const;
    expect((await closed.inject({ ...request, headers: { authorization: 'Bearer ' } })).statusCode).toBe(401);
    const response = await pinned.inject(request);
    expect(response.json()).toEqual({
      ...{ outcome: 'loaded', bundle_version: 'v', manifest_sha256: 'm', generation: null, loaded_in_ms: 12 },
    });
    await Promise.all([closed.close(), pinned.close()]);
  });

  it('without a bundle everything that needs one is unavailable', async () => {
    const empty = await buildApp({ ...deps(), sets: createServingSets(() => undefined) });
    const response = await empty.inject({
      method: 'POST',
      url: '/v1/score',
      headers: { 'content-type': 'application/json' },
      payload: JSON.stringify(tinyTransaction),
    });
    expect(response.statusCode).toBe(503);
    expect(response.json<ApiError>().error.message).toMatch(/no bundle yet/);
    expect((await empty.inject('/v1/metadata')).statusCode).toBe(503);
    expect((await empty.inject('/openapi.json')).statusCode).toBe(200);
    await empty.close();
  });

  it('a known path with another method is 405 and names what it takes', async () => {
    const response = await app.inject('/v1/score?x=1');
    expect(response.statusCode).toBe(405);
    expect(response.headers.allow).toBe('POST');
    expect(response.json<ApiError>().error.message).toBe('/v1/score takes POST, not GET');
    expect((await app.inject({ method: 'DELETE', url: '/v1/health' })).headers.allow).toBe('GET, HEAD');
  });

  it('a path that cannot be decoded is refused in the same form', async () => {
    const response = await app.inject('/v1/%E0%A4%A');
    expect(response.statusCode).toBe(400);
    expect(response.json<ApiError>().error.type).toBe('InvalidInput');
  });

  it.each([
    ['no HTTP', 'hello\r\n\r\n', 400],
    ['too many headers', `GET /v1/live HTTP/1.1\r\nhost: x\r\na: ${'x'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'a body that never comes',
      'POST /v1/score HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{',
      408,
    ],
  ])('%s is refused in the same form, and the connection closed', async (_name, sent, status) => {
    const own = await buildApp({ ...deps(), limits: { ...deps().limits, requestMs: 200 } });
    const socket = connect(Number(new URL(await own.listen({ port: 0, host: '127.0.0.1' })).port), '127.0.0.1');
    socket.write(sent);
    const [head = '', body = ''] = (await text(socket)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    const { error, request_id } = JSON.parse(body) as ApiError;
    expect(error.type).toBe('InvalidInput');
    expect(request_id).not.toBe('');
    await own.close();
  });

  it('an unknown path is 404 in the same form', async () => {
    const response = await app.inject('/v2/score?x=1');
    expect(response.statusCode).toBe(404);
    expect(response.json<ApiError>().error).toMatchObject({
      type: 'NotFound',
      message: 'there is no GET /v2/score; see /openapi.json',
    });
  });
});
