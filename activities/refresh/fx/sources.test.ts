import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, it } from 'vitest';
import { createReplayServer } from '../../../stack/fx/server.js';
import { projectPath } from '../../../platform/project.js';
import { createEcbProvider } from './ecb.js';
import { createExchangerateHostProvider } from './exchangerate-host.js';
import { createOpenExchangeRatesProvider } from './open-exchange-rates.js';
import { createFxProvider } from './sources.js';

const KEY = 'secret-key-4711';
const now = (): Date => new Date('2025-07-31T18:00:00Z');
const servers: Server[] = [];

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
/** A strict server: what it was not told to answer is 404, and every request is remembered. */
async function answering(routes: Record<string, RequestListener>): Promise<{ url: string; asked: string[] }> {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    const route = routes[new URL(request.url ?? '/', 'http://x').pathname];
    if (route === undefined) response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":true}');
    else route(request, response);
  });
  return { url: await listen(server), asked };
}
const reply =
  (
    body: string | Buffer,
    headers: Record<string, string> = { 'content-type': 'text/xml' },
    status = 200,
  ): RequestListener =>
  (_request, response) =>
    void response.writeHead(status, headers).end(body);
const json = (body: unknown, status = 200): RequestListener =>
  reply(typeof body === 'string' ? body : JSON.stringify(body), { 'content-type': 'application/json' }, status);
const failureOf = async (call: Promise<unknown>): Promise<{ type: string; message: string }> => {
  const error = (await call.then(
    () => null,
    (caught: unknown) => caught,
  )) as { type: string; message: string } | null;
  if (error === null) throw new Error('it was accepted');
  expect(JSON.stringify(error) + error.message + String((error as unknown as Error).stack)).not.toContain(KEY);
  return error;
};

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

describe('the ECB, replayed by the stack', () => {
  const replay = async (): Promise<{ url: string; asked: string[] }> => {
    const server = createReplayServer({ csvFile: projectPath('data', 'ecb_fixings.csv'), outageFile: '/nonexistent' });
    const asked: string[] = [];
    server.on('request', (request: IncomingMessage) => asked.push((request.url ?? '').split('/').at(-1) ?? ''));
    return { url: await listen(server), asked };
  };

  it.each([
    ['2025-07-31', '2025-07-31', 1, ['eurofxref-daily.xml']],
    ['2025-07-31', '2025-08-03', 1, ['eurofxref-daily.xml']],
    ['2025-07-30', '2025-07-31', 2, ['eurofxref-daily.xml', 'eurofxref-hist-90d.xml']],
    ['2025-06-28', '2025-06-30', 1, ['eurofxref-daily.xml', 'eurofxref-hist-90d.xml']],
    ['2025-06-28', '2025-06-29', 0, ['eurofxref-daily.xml']],
    ['2025-01-01', '2025-01-07', 4, ['eurofxref-daily.xml', 'eurofxref-hist.xml']],
    ['2025-08-01', '2025-08-04', 0, ['eurofxref-daily.xml']],
  ])('from %s to %s: %d fixings out of %j', async (from, to, count, documents) => {
    const { url, asked } = await replay();
    const fixings = await createFxProvider({ source: url, apiKey: '', now }).fixings({ from, to });
    expect(fixings).toHaveLength(count);
    expect(asked).toEqual(documents);
  });

  it('gives the rates of the CSV', async () => {
    const { url } = await replay();
    const [fixing] = await createFxProvider({ source: `${url}/`, apiKey: '', now }).fixings({
      from: '2025-06-30',
      to: '2025-06-30',
    });
    expect(fixing).toMatchObject({ _id: '2025-06-30', base: 'EUR', rates: { USD: 1.172, JPY: 169.17, GBP: 0.8555 } });
  });

  it('knows its three files and its health, and nothing else', async () => {
    const { url } = await replay();
    const status = async (path: string, method = 'GET'): Promise<number> =>
      (await fetch(url + path, { method })).status;
    expect(await status('/health')).toBe(200);
    expect(await status('/stats/eurofxref/eurofxref-hist.xml')).toBe(200);
    expect(await status('/stats/eurofxref/eurofxref-sdmx.xml')).toBe(404);
    expect(await status('/eurofxref-daily.xml')).toBe(404);
    expect(await status('/health', 'POST')).toBe(405);
  });
});

describe('an ECB that is not what it should be', () => {
  const ask = async (route: RequestListener | undefined): Promise<{ type: string; message: string }> => {
    const { url } = await answering(route === undefined ? {} : { '/stats/eurofxref/eurofxref-daily.xml': route });
    return failureOf(
      createFxProvider({ source: url, apiKey: '', now }).fixings({ from: '2025-07-30', to: '2025-07-31' }),
    );
  };

  it.each<[string, RequestListener | undefined, string, RegExp]>([
    ['no such file', undefined, 'Rejected', /HTTP 404/],
    ['HTTP 500', reply('oops', {}, 500), 'Unreachable', /HTTP 500/],
    ['HTTP 429', reply('slow down', {}, 429), 'Unreachable', /HTTP 429/],
    ['HTTP 403', reply('no', {}, 403), 'Rejected', /HTTP 403/],
    ['HTTP 204', reply('', {}, 204), 'Rejected', /HTTP 204/],
    [
      'HTML with status 200',
      reply('<html></html>', { 'content-type': 'text/html; charset=utf-8' }),
      'InvalidInput',
      /web page/,
    ],
    ['HTML that calls itself XML', reply('<html></html>'), 'InvalidInput', /its root is <html>/],
    ['nothing', reply(''), 'Unreachable', /stops in the middle/],
    [
      'Latin-1',
      reply(Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>\u00e9</a>', 'latin1')),
      'InvalidInput',
      /not UTF-8/,
    ],
    [
      'a redirect elsewhere',
      reply('', { location: 'http://169.254.169.254/latest' }, 302),
      'Rejected',
      /redirects to 169\.254\.169\.254 \(HTTP 302\): not followed/,
    ],
    [
      'half an answer',
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/xml', 'content-length': '9999' });
        response.write('<?xml version="1.0"?>');
        setTimeout(() => response.destroy(), 20);
      },
      'Unreachable',
      /broke off/,
    ],
    [
      'damaged compression',
      reply(Buffer.from('no gzip at all'), { 'content-type': 'text/xml', 'content-encoding': 'gzip' }),
      'Unreachable',
      /broke off \(Z_DATA_ERROR\)/,
    ],
    [
      'compression cut short',
      reply(gzipSync('<a/>').subarray(0, 12), { 'content-type': 'text/xml', 'content-encoding': 'gzip' }),
      'Unreachable',
      /stops in the middle/,
    ],
  ])('%s', async (_what, route, type, message) => {
    const failure = await ask(route);
    expect(failure.message).toMatch(message);
    expect(failure.message).toContain('Nothing was stored');
    expect(failure.type).toBe(type);
  });

  it('refuses 50 MB, sent or unpacked, without reading on', async () => {
    let sent = 0;
    const piece = Buffer.alloc(64 * 1024, ' ');
    const endless: RequestListener = (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/xml' });
      const more = (): void => {
        while (!response.destroyed && sent < 50 * 1024 * 1024) {
          sent += piece.length;
          if (!response.write(piece)) return void response.once('drain', more);
        }
        response.end();
      };
      more();
    };
    expect(await ask(endless)).toMatchObject({
      type: 'InvalidInput',
      message: expect.stringContaining('larger than 1 MB'),
    });
    expect(sent).toBeLessThan(20 * 1024 * 1024);
    const bomb = gzipSync(Buffer.alloc(50 * 1024 * 1024, ' '));
    const packed = await ask(reply(bomb, { 'content-type': 'text/xml', 'content-encoding': 'gzip' }));
    expect(packed).toMatchObject({ type: 'InvalidInput', message: expect.stringContaining('larger than 1 MB') });
  });

  it('is unreachable where nobody listens, and stops when it is told to', async () => {
    const closed = createFxProvider({ source: 'http://127.0.0.1:1', apiKey: '', now });
    const refused = await failureOf(closed.fixings({ from: '2025-07-30', to: '2025-07-31' }));
    expect(refused).toMatchObject({ type: 'Unreachable', message: expect.stringContaining('ECONNREFUSED') });
    const { url } = await answering({ '/stats/eurofxref/eurofxref-daily.xml': () => {} });
    const stop = new AbortController();
    const asking = createFxProvider({ source: url, apiKey: '', now }).fixings({
      from: '2025-07-30',
      to: '2025-07-31',
      signal: stop.signal,
    });
    stop.abort(new Error('cancelled'));
    await expect(asking).rejects.toThrow('cancelled');
  });
});

describe('exchangerate.host', () => {
  /** as documented: https://exchangerate.host/documentation */
  const answer = {
    success: true,
    terms: 'https://exchangerate.host/terms',
    timeframe: true,
    start_date: '2025-06-27',
    end_date: '2025-06-30',
    source: 'USD',
    quotes: {
      '2025-06-27': { USDEUR: 0.85, USDGBP: 0.72 },
      '2025-06-28': { USDEUR: 0.85, USDGBP: 0.72 },
      '2025-06-29': { USDEUR: 0.85, USDGBP: 0.72 },
      '2025-06-30': { USDEUR: 0.86, USDGBP: 0.73 },
    },
  };
  const provider = (url: string, clock = now): ReturnType<typeof createFxProvider> =>
    createExchangerateHostProvider({ url: `${url}/`, apiKey: KEY, now: clock });
  const request = { from: '2025-06-27', to: '2025-06-30' };

  it('asks for the span and keeps its business days', async () => {
    const { url, asked } = await answering({ '/timeframe': json(answer) });
    expect(await provider(url).fixings(request)).toEqual([
      { _id: '2025-06-27', base: 'USD', rates: { EUR: 0.85, GBP: 0.72 } },
      { _id: '2025-06-30', base: 'USD', rates: { EUR: 0.86, GBP: 0.73 } },
    ]);
    expect(asked).toEqual([`/timeframe?access_key=${KEY}&start_date=2025-06-27&end_date=2025-06-30`]);
  });

  it('does not ask for a day that is not over', async () => {
    const { url, asked } = await answering({});
    expect(
      await provider(url, () => new Date('2025-06-30T23:00:00Z')).fixings({ from: '2025-06-30', to: '2025-06-30' }),
    ).toEqual([]);
    expect(asked).toEqual([]);
  });

  it.each<[string, unknown, string, RegExp]>([
    [
      'a wrong key',
      { success: false, error: { code: 101, type: 'invalid_access_key', info: `No key ${KEY}.` } },
      'Rejected',
      /refused \(101\): No key \[secret\]/,
    ],
    ['a rate of 0', { ...answer, quotes: { '2025-06-30': { USDEUR: 0 } } }, 'InvalidInput', /USDEUR.*must be > 0/],
    ['a negative rate', { ...answer, quotes: { '2025-06-30': { USDEUR: -1 } } }, 'InvalidInput', /must be > 0/],
    ['a rate of 1e999', JSON.stringify(answer).replace('0.85', '1e999'), 'InvalidInput', /must be number/],
    ['a rate of 0x10', JSON.stringify(answer).replace('0.85', '0x10'), 'InvalidInput', /not JSON/],
    ['a rate as text', JSON.stringify(answer).replace('0.85', '"0.85"'), 'InvalidInput', /must be number/],
    ['a currency twice', JSON.stringify(answer).replace('USDGBP', 'USDEUR'), 'InvalidInput', /is there already/],
    [
      'another base',
      { ...answer, quotes: { '2025-06-30': { EURUSD: 1.1 } } },
      'InvalidInput',
      /EURUSD is not quoted against USD/,
    ],
    [
      'a day not asked for',
      { ...answer, quotes: { '2025-07-01': { USDEUR: 1.1 } } },
      'InvalidInput',
      /gave 2025-07-01/,
    ],
    ['half a document', JSON.stringify(answer).slice(0, 200), 'Unreachable', /stops in the middle/],
    ['HTML', '<html></html>', 'InvalidInput', /not JSON/],
    ['an array', [], 'InvalidInput', /must/],
  ])('refuses %s', async (_what, body, type, message) => {
    const { url } = await answering({ '/timeframe': json(body) });
    const failure = await failureOf(provider(url).fixings(request));
    expect(failure.message).toMatch(message);
    expect(failure.type).toBe(type);
  });

  it('splits what is longer than a year', async () => {
    const { url, asked } = await answering({ '/timeframe': json({ ...answer, quotes: {} }) });
    expect(await provider(url).fixings({ from: '2024-01-01', to: '2025-06-30' })).toEqual([]);
    expect(asked.map((one) => /start_date.*/.exec(one)?.[0])).toEqual([
      'start_date=2024-01-01&end_date=2024-12-30',
      'start_date=2024-12-31&end_date=2025-06-30',
    ]);
  });
});

describe('openexchangerates', () => {
  /** as documented: https://docs.openexchangerates.org/reference/historical-json */
  const answer = (day: string): object => ({
    disclaimer: 'Usage subject to terms: https://openexchangerates.org/terms',
    license: 'https://openexchangerates.org/license',
    timestamp: Date.parse(`${day}T23:59:00Z`) / 1000,
    base: 'USD',
    rates: { EUR: 0.85, GBP: 0.72, USD: 1 },
  });
  const provider = (url: string, clock = now): ReturnType<typeof createFxProvider> =>
    createOpenExchangeRatesProvider({ url: `${url}/api/`, apiKey: KEY, now: clock });

  it('asks once a business day, with the key in a header', async () => {
    const keys: (string | undefined)[] = [];
    const day =
      (date: string): RequestListener =>
      (request, response) => {
        keys.push(request.headers.authorization);
        json(answer(date))(request, response);
      };
    const { url, asked } = await answering({
      '/api/historical/2025-06-27.json': day('2025-06-27'),
      '/api/historical/2025-06-30.json': day('2025-06-30'),
    });
    const rates = { EUR: 0.85, GBP: 0.72 };
    expect(await provider(url).fixings({ from: '2025-06-27', to: '2025-06-30' })).toEqual([
      { _id: '2025-06-27', base: 'USD', rates },
      { _id: '2025-06-30', base: 'USD', rates },
    ]);
    expect(asked).toHaveLength(2);
    expect(keys).toEqual([`Token ${KEY}`, `Token ${KEY}`]);
    expect(
      await provider(url, () => new Date('2025-06-30T12:00:00Z')).fixings({ from: '2025-06-30', to: '2025-06-30' }),
    ).toEqual([]);
  });

  it.each<[string, unknown, number, string, RegExp]>([
    [
      'a wrong key',
      { error: true, status: 401, message: 'invalid_app_id', description: `Invalid App ID ${KEY}` },
      401,
      'Rejected',
      /HTTP 401: Invalid App ID \[secret\]/,
    ],
    [
      'a full quota',
      { error: true, status: 429, message: 'too_many_requests' },
      429,
      'Unreachable',
      /HTTP 429: too_many/,
    ],
    ['the rates of another day', answer('2025-06-20'), 200, 'InvalidInput', /is of another time/],
    ['a rate of 0', { ...answer('2025-06-30'), rates: { EUR: 0, GBP: 1 } }, 200, 'InvalidInput', /must be > 0/],
    ['no rates', { ...answer('2025-06-30'), rates: {} }, 200, 'InvalidInput', /rates/],
  ])('refuses %s', async (_what, body, status, type, message) => {
    const { url } = await answering({ '/api/historical/2025-06-30.json': json(body, status) });
    const failure = await failureOf(provider(url).fixings({ from: '2025-06-30', to: '2025-06-30' }));
    expect(failure.message).toMatch(message);
    expect(failure.type).toBe(type);
  });
});

describe('createFxProvider', () => {
  it.each([
    ['ecb', 'ecb'],
    ['exchangerate.host', 'exchangerate.host'],
    ['openexchangerates', 'openexchangerates'],
    ['http://127.0.0.1:1234/', 'http://127.0.0.1:1234'],
    ['https://rates.example.com/mirror', 'https://rates.example.com'],
  ])('%s', (source, name) => expect(createFxProvider({ source, apiKey: KEY, now }).name).toBe(name));

  it.each([
    ['exchangerate.host', /set FX_API_KEY/],
    ['bank', /FX_SOURCE must be ecb/],
    ['file:///etc/passwd', /FX_SOURCE must be ecb/],
    ['https://user:pw@example.com', /plain address/],
  ])('refuses %s', (source, message) => expect(() => createFxProvider({ source, apiKey: '', now })).toThrow(message));

  it('reads the files below the address it is given', async () => {
    const { url, asked } = await answering({});
    await failureOf(
      createEcbProvider({ url: `${url}/mirror`, name: 'x', now }).fixings({ from: '2025-07-31', to: '2025-07-31' }),
    );
    expect(asked).toEqual(['/mirror/eurofxref-daily.xml']);
  });
});
