import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHttp } from './http.js';

let server: Server;
let baseUrl: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    const status = Number(/\d+/.exec(request.url ?? '')?.[0] ?? 200);
    if (request.url === '/hang') return;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ error_code: 'SOME_CODE', message: 'in its own words' }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.closeAllConnections());
afterAll(() => new Promise((resolve) => server.close(resolve)));

const http = (timeoutMs = 5_000) =>
  createHttp({
    system: 'MLflow',
    baseUrl,
    setting: 'MLFLOW_TRACKING_URI',
    timeoutMs,
    headers: { authorization: 'Bearer secret' },
  });

describe('an HTTP client', () => {
  it.each([
    [404, 'NotFound'],
    [400, 'Rejected'],
    [401, 'Rejected'],
    [409, 'Rejected'],
    [408, 'Unreachable'],
    [429, 'Unreachable'],
    [503, 'Unreachable'],
  ])('HTTP %i is %s, in the words of the other side', async (status, type) => {
    await expect(http().get(`/${status}`)).rejects.toMatchObject({
      type,
      message: expect.stringMatching(
        `MLflow at ${baseUrl} answered GET /${status} with HTTP ${status}: in its own words`,
      ),
      details: { status, code: 'SOME_CODE' },
    });
  });

  it('names the address and the setting when nobody answers, or not in time', async () => {
    await expect(http(50).get('/hang')).rejects.toMatchObject({
      type: 'Unreachable',
      message: expect.stringContaining(baseUrl),
    });
    const dead = createHttp({
      system: 'MLflow',
      baseUrl: 'http://127.0.0.1:1',
      setting: 'MLFLOW_TRACKING_URI',
      timeoutMs: 5_000,
    });
    await expect(dead.get('/')).rejects.toMatchObject({
      type: 'Unreachable',
      message: expect.stringMatching(/127\.0\.0\.1:1 .*MLFLOW_TRACKING_URI/),
    });
  });

  it('keeps its headers out of the error', async () => {
    const error = await http()
      .get('/401')
      .catch((e: unknown) => e as Error);
    expect(JSON.stringify(error) + String((error as Error).stack) + String((error as Error).cause)).not.toContain(
      'secret',
    );
  });
});
