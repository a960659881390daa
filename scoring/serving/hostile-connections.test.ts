import { once } from 'node:events';
import { request } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { FastifyInstance } from 'fastify';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openTiny } from '../../test/support/live-tiny-bundle.js';
import { openRaw, rawRequest, readAnswers, sendRaw } from '../../test/support/raw-http.js';
import { listeningApp } from '../../test/support/scorer-app.js';
import { tinyTransaction } from '../../test/support/tiny-bundle.js';
import type { ServingSet } from '../traffic/serving-set.js';
import { createServingSets, type ServingSets } from '../traffic/serving-sets.js';
import type { ApiError, ScoreResponse } from './api-schemas.js';
import type { AppDeps } from './app.js';

const good = JSON.stringify(tinyTransaction);
const closing = { connection: 'close' };
/** a request that arrives in part only is given up after so long */
const REQUEST_MS = 300;

let set: ServingSet;
let letGo: ServingSet[];
let sets: ServingSets;
const apps: FastifyInstance[] = [];

beforeAll(async () => {
  set = await openTiny();
  return () => set.champion.close();
});

/** Both ways: the fast lane, and the framework's route, which takes over where clients are limited. */
const WAYS: [name: string, limits: Partial<AppDeps['limits']>][] = [
  ['fast lane', { requestMs: REQUEST_MS }],
  ['framework', { requestMs: REQUEST_MS, scoresPerMinute: 1_000_000 }],
];

async function listen(limits: Partial<AppDeps['limits']>, changes: Partial<AppDeps> = {}): Promise<number> {
  letGo = [];
  sets = createServingSets((former) => void letGo.push(former));
  sets.replace(set);
  const { app, port } = await listeningApp(sets, limits, changes);
  apps.push(app);
  return port;
}

afterEach(async () => {
  await Promise.all(
    apps.splice(0).map((app) => {
      app.server.closeAllConnections();
      return app.close();
    }),
  );
});

const connections = (): Promise<number> =>
  new Promise((resolve) => apps.at(-1)?.server.getConnections((_error, count) => resolve(count)));
const allClosed = () => vi.waitFor(async () => expect(await connections()).toBe(0), { timeout: 10_000, interval: 50 });
const isServed = async (port: number) =>
  expect((await sendRaw(port, [rawRequest(good, closing)])).map(({ status }) => status)).toEqual([200]);
const statuses = async (port: number, parts: (string | Buffer)[], options = {}) =>
  (await sendRaw(port, parts, options)).map(({ status }) => status);

/** The same bundle, whose scores come when the test says so. */
function heldSet(): { held: ServingSet; release: () => void } {
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  const { champion } = set;
  const score: typeof champion.score = (...args) => gate.then(() => champion.score(...args));
  return { held: { ...set, champion: { ...champion, score } }, release };
}

describe.each(WAYS)('%s: many requests on one connection', (_way, limits) => {
  it('100 in one packet, good and bad, are answered in their order', async () => {
    const port = await listen(limits);
    const kinds = [
      (id: string) => ({ body: good.replace('t-1', id), status: 200 }),
      (id: string) => ({ body: `[${good.replace('t-1', id)},${good}]`, status: 200 }),
      () => ({ body: '{', status: 400 }),
      () => ({ body: '{}', status: 422 }),
      () => ({ body: good.replace('{', '{"amount":1,'), status: 400 }),
    ];
    const sent = Array.from({ length: 100 }, (_, at) => ({ id: `r-${at}`, ...kinds[(at * 7) % 5]?.(`r-${at}`) }));
    const packet = sent.map(({ id, body = '' }, at) =>
      rawRequest(body, { 'x-request-id': id, ...(at === 99 ? closing : {}) }),
    );
    const answers = await sendRaw(port, [Buffer.concat(packet)]);
    expect(answers.map(({ status, headers }) => [headers['x-request-id'], status])).toEqual(
      sent.map(({ id, status }) => [id, status]),
    );
    for (const { status, headers, body } of answers) {
      if (status !== 200) continue;
      const { results, request_id } = JSON.parse(body) as ScoreResponse;
      expect([request_id, results[0]?.transaction_id]).toEqual([headers['x-request-id'], request_id]);
    }
  });

  it('other routes among them keep their place', async () => {
    const port = await listen(limits);
    const ask = (line: string, id: string, body = '') => rawRequest(body, { 'x-request-id': id }, line);
    const lines = [
      'GET /v1/live HTTP/1.1',
      'POST /v1/score HTTP/1.1',
      'GET /nothing HTTP/1.1',
      'POST /v1/score HTTP/1.1',
    ];
    const packet = lines.map((line, at) => ask(line, `r-${at}`, line.startsWith('POST') ? good : ''));
    const answers = await sendRaw(port, [Buffer.concat([...packet, rawRequest(good, closing)])]);
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 404, 200, 200]);
    expect(answers.slice(0, 4).map(({ headers }) => headers['x-request-id'])).toEqual(['r-0', 'r-1', 'r-2', 'r-3']);
  });

  it('byte by byte', async () => {
    const port = await listen({ ...limits, requestMs: 10_000 });
    const bytes = Buffer.concat([rawRequest(good), rawRequest(good, closing)]);
    const single = Array.from(bytes, (byte) => Buffer.of(byte));
    expect(await statuses(port, single, { apart: true })).toEqual([200, 200]);
  });

  it('a connection is good for more after an error', async () => {
    const port = await listen(limits);
    const socket = openRaw(port);
    for (const [body, status] of [
      ['{', 400],
      [good, 200],
      ['{}', 422],
      [good, 200],
    ] as const) {
      socket.write(rawRequest(body));
      expect((await readAnswers(socket, 1))[0]?.status).toBe(status);
    }
    socket.destroy();
  });

  it('what is broken is answered after what was asked before it', async () => {
    const port = await listen(limits);
    const before = [rawRequest(good), rawRequest('{}')];
    expect(await statuses(port, [Buffer.concat([...before, Buffer.from('no HTTP\r\n\r\n')])])).toEqual([200, 422, 400]);
    const { held, release } = heldSet();
    sets.replace(held);
    const answers = statuses(port, [rawRequest(good), 'no HTTP\r\n\r\n', 'nor this\r\n\r\n'], { apart: true });
    setTimeout(release, 50);
    expect(await answers).toEqual([200, 400]);
    await allClosed();
  });

  it('a client that closes its half behind its requests is answered, also where that takes a while', async () => {
    const port = await listen(limits);
    const two = [rawRequest(good), rawRequest(good)];
    expect(await statuses(port, two, { halfClose: true })).toEqual([200, 200]);
    const { held, release } = heldSet();
    sets.replace(held);
    const answers = statuses(port, two, { halfClose: true });
    setTimeout(release, 50);
    expect(await answers).toEqual([200, 200]);
    await allClosed();
  });

  it('while it drains, an answer ends the connection', async () => {
    const port = await listen(limits, { draining: () => true });
    const [answer, ...others] = await sendRaw(port, [rawRequest(good)]);
    expect([answer?.status, answer?.headers['connection'], others]).toEqual([200, 'close', []]);
    expect((await sendRaw(port, [rawRequest('{')]))[0]?.headers['connection']).toBe('close');
  });
});

describe.each(WAYS)('%s: clients that go away or never finish', (_way, limits) => {
  it('in the middle of a body', async () => {
    const port = await listen({ ...limits, requestMs: 10_000 });
    for (const abort of ['end', 'destroy', 'resetAndDestroy'] as const) {
      for (const part of [
        rawRequest(good.slice(0, 20), { 'content-length': '999' }),
        rawRequest('5\r\n{"am', { 'transfer-encoding': 'chunked' }),
      ]) {
        const socket = openRaw(port)
          .on('error', () => undefined)
          .resume();
        await once(socket, 'connect');
        socket.write(part);
        await new Promise((resolve) => setImmediate(resolve));
        socket[abort]();
      }
    }
    await allClosed();
    await isServed(port);
  });

  it('before the answer: nothing is thrown, and the set is let go of', async () => {
    const port = await listen(limits);
    const { held, release } = heldSet();
    sets.replace(held);
    const sockets = (['destroy', 'resetAndDestroy', 'end'] as const).map((abort) => ({ abort, socket: openRaw(port) }));
    for (const { socket } of sockets)
      socket.on('error', () => undefined).write(Buffer.concat([rawRequest(good), rawRequest(good)]));
    await vi.waitFor(async () => expect(await connections()).toBe(3));
    await isServedBy(port, () => sockets.forEach(({ abort, socket }) => socket[abort]()), release);
    sets.replace(set);
    await sets.drained();
    expect(letGo).toEqual([set, held]);
    sockets.forEach(({ socket }) => socket.destroy());
    await allClosed();
    await isServed(port);
  });

  it('a body, a head, or anything at all that never comes: 408, and the connection is gone though they never close it', async () => {
    const port = await listen(limits);
    const parts = [
      rawRequest('{', { 'content-length': '9' }),
      'POST /v1/sco',
      rawRequest(`${good.length.toString(16)}\r\n${good}\r\n`, { 'transfer-encoding': 'chunked' }),
    ];
    await Promise.all(
      parts.map(async (part) => {
        const socket = openRaw(port).on('error', () => undefined);
        socket.write(part);
        const [{ status, body } = { status: 0, body: '{}' }] = await readAnswers(socket, 1);
        expect(status).toBe(408);
        expect((JSON.parse(body) as ApiError).error.message).toBe('the request did not arrive in time');
      }),
    );
    openRaw(port).on('error', () => undefined);
    await allClosed();
    await isServed(port);
  });

  it('garbage, and what is too large, from a client that never closes', async () => {
    const port = await listen(limits);
    for (const part of ['garbage\r\n\r\n', rawRequest('x'.repeat(2_000_000))]) {
      const socket = openRaw(port).on('error', () => undefined);
      socket.write(part);
      await readAnswers(socket, 1);
    }
    await allClosed();
  });

  it('a length that is too large as announced is refused at once', async () => {
    const port = await listen({ ...limits, requestMs: 60_000 });
    const startedAt = performance.now();
    const [answer] = await sendRaw(port, [rawRequest('', { 'content-length': '99999999' })]);
    expect(answer?.status).toBe(413);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    await isServed(port);
  });
});

/** Lets clients leave while a request of a well-behaved one waits with theirs, which is answered once they have left. */
async function isServedBy(port: number, leave: () => void, release: () => void): Promise<void> {
  const answers = sendRaw(port, [rawRequest(good, closing)]);
  leave();
  setTimeout(release, 50);
  expect((await answers).map(({ status }) => status)).toEqual([200]);
}

describe.each(WAYS)('%s: odd HTTP', (_way, limits) => {
  const chunks = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`;
  const chunked = { 'transfer-encoding': 'chunked' };
  let port: number;
  beforeAll(async () => {
    const own = createServingSets(() => undefined);
    own.replace(set);
    const listening = await listeningApp(own, limits);
    port = listening.port;
    return () => listening.app.close();
  });

  it.each<[string, Buffer | string, number]>([
    [
      'chunks',
      rawRequest(`${chunks(good.slice(0, 9))}${chunks(good.slice(9))}0\r\n\r\n`, { ...chunked, ...closing }),
      200,
    ],
    ['chunks and a trailer', rawRequest(`${chunks(good)}0\r\nx: y\r\n\r\n`, { ...chunked, ...closing }), 200],
    ['a chunk of no size', rawRequest(`zz\r\n${good}\r\n0\r\n\r\n`, { ...chunked, ...closing }), 400],
    ['a chunk of a terabyte', rawRequest(`ffffffffff\r\n${good}`, { ...chunked, ...closing }), 408],
    ['chunks and a length', rawRequest(`${chunks(good)}0\r\n\r\n`, { ...chunked, 'content-length': '3' }), 400],
    ['a negative length', rawRequest(good, { 'content-length': '-1' }), 400],
    ['a length that is no number', rawRequest(good, { 'content-length': '1e2' }), 400],
    ['HTTP/1.0', rawRequest(good, {}, 'POST /v1/score HTTP/1.0'), 200],
    ['HTTP/3.0', rawRequest(good, {}, 'POST /v1/score HTTP/3.0'), 400],
    ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
    ['an absolute address', rawRequest(good, closing, 'POST http://elsewhere/v1/score HTTP/1.1'), 200],
    ['an empty query', rawRequest(good, closing, 'POST /v1/score? HTTP/1.1'), 200],
    ['an escaped address', rawRequest(good, closing, 'POST /v1/%73core HTTP/1.1'), 200],
    ['a slash behind it', rawRequest(good, closing, 'POST /v1/score/ HTTP/1.1'), 404],
    ['a slash before it', rawRequest(good, closing, 'POST //v1/score HTTP/1.1'), 404],
    ['a way round', rawRequest(good, closing, 'POST /v1/../v1/score HTTP/1.1'), 404],
    ['another case', rawRequest(good, closing, 'POST /V1/score HTTP/1.1'), 404],
    ['OPTIONS', rawRequest('', closing, 'OPTIONS /v1/score HTTP/1.1'), 405],
    ['GET with a body', rawRequest(good, closing, 'GET /v1/score HTTP/1.1'), 405],
    ['another method in a header', rawRequest(good, { ...closing, 'x-http-method-override': 'GET' }), 200],
    ['an upgrade', rawRequest(good, { connection: 'Upgrade, close', upgrade: 'h2c' }), 200],
    ['two content types, the first of which counts', twice('content-type: application/json', 'text/plain'), 200],
    ['two content types, the other way round', twice('content-type: text/plain', 'application/json'), 415],
    ['two lengths', twice('content-type: application/json', 'application/json', '\r\ncontent-length: 3'), 400],
    ['a request id with a line end', rawRequest(good, { ...closing, 'x-request-id': 'a\rx: y' }), 400],
    ['a request id of 10,000 characters', rawRequest(good, { ...closing, 'x-request-id': 'a'.repeat(10_000) }), 200],
  ])('%s', async (_what, bytes, status) => {
    expect(await statuses(port, [bytes])).toEqual([status]);
    await isServed(port);
  });

  it('HEAD has no body', async () => {
    const sending = request({ port, host: '127.0.0.1', path: '/v1/score', method: 'HEAD', agent: false }).end();
    const [{ statusCode }] = (await once(sending, 'response')) as [{ statusCode: number }];
    expect(statusCode).toBe(405);
  });

  it('a client that waits to be told to go on is told so', async () => {
    const socket = openRaw(port);
    socket.write(rawRequest('', { expect: '100-continue', 'content-length': `${good.length}` }));
    expect((await readAnswers(socket, 1)).map(({ status }) => status)).toEqual([100]);
    socket.write(good);
    expect((await readAnswers(socket, 1)).map(({ status }) => status)).toEqual([200]);
    socket.destroy();
  });
});

function twice(type: string, other: string, more = ''): string {
  return `POST /v1/score HTTP/1.1\r\nhost: x\r\n${type}\r\ncontent-type: ${other}\r\ncontent-length: ${good.length}${more}\r\nconnection: close\r\n\r\n${good}`;
}
