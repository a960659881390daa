import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import type { LoadOrder } from './protocol.js';
import { startLoad } from './run.js';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** A server that answers the n-th request like this. */
async function serve(answer: (n: number, body: string, response: ServerResponse) => void): Promise<number> {
  let count = 0;
  const started = (server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => answer(count++, body, response));
  }));
  await new Promise<void>((resolve) => started.listen(0, '127.0.0.1', resolve));
  return (started.address() as AddressInfo).port;
}

function send(response: ServerResponse, document: unknown, status = 200): void {
  const text = JSON.stringify(document);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': text.length }).end(text);
}

const order = (port: number, more: Partial<LoadOrder> = {}): LoadOrder => ({
  ...{ port, path: '/', bodies: ['{"n":0}', '{"n":1}'], connections: 4 },
  ...{ warmupSeconds: 0, seconds: 0.5, rate: null, arrivals: 'even', expected: null },
  ...more,
});

describe('the load generator', () => {
  it('sends the bodies in turn and counts what is answered, however large and in however many pieces', async () => {
    const seen: Record<string, number> = {};
    const padding = 'x'.repeat(300_000);
    const port = await serve((_, body, response) => {
      seen[body] = (seen[body] ?? 0) + 1;
      send(response, { padding });
    });
    const { requests, failed, meanAnswerBytes } = await startLoad(order(port)).done;
    expect(failed).toEqual({});
    expect(requests).toBeGreaterThan(4);
    expect(meanAnswerBytes).toBe(JSON.stringify({ padding }).length);
    expect(Math.abs((seen['{"n":0}'] ?? 0) - (seen['{"n":1}'] ?? 0))).toBeLessThanOrEqual(1);
  });

  it('counts what is not 200, and goes on after a connection that was lost', async () => {
    const port = await serve((n, _, response) => {
      if (n === 1) response.destroy();
      else send(response, {}, n % 2 === 0 ? 200 : 503);
    });
    const { requests, failed } = await startLoad(order(port)).done;
    expect(requests).toBeGreaterThan(4);
    expect(failed).toEqual({ 'status 503': expect.any(Number) as number, 'the connection was closed': 1 });
  });

  it('counts latency from when a request was due: a server that stops makes all late that it should have answered', async () => {
    const port = await serve((n, _, response) => {
      if (n !== 20) return send(response, {});
      const until = performance.now() + 300;
      while (performance.now() < until);
      return send(response, {});
    });
    const { requests, latency, failed } = await startLoad(order(port, { rate: 200, seconds: 1, connections: 2 })).done;
    expect(failed).toEqual({});
    expect(requests).toBeGreaterThan(195);
    // 60 of 200 requests were due while the server stood still; those that were on their way are two
    expect(latency.p90).toBeGreaterThan(100);
  });

  it('says which answers agree with no bundle', async () => {
    const answers = [
      { score: 0.1, generation: 1, digest: 'a' },
      { score: 0.2, generation: 1, digest: 'a' },
      { score: 0.4, generation: 2, digest: 'b' },
      { score: 0.2, generation: 2, digest: 'b' },
      { score: 0.3, generation: 1, digest: 'a' },
      { score: 0.2, generation: 1, digest: 'b' },
      { score: 0.3, generation: 3, digest: 'c' },
    ];
    const port = await serve((n, _, response) => {
      const { score, generation, digest } = answers[Math.min(n, answers.length - 1)] as (typeof answers)[number];
      send(response, { results: [{ score }], versions: { generation, manifest_sha256: digest } });
    });
    const expected = [
      { manifestSha256: 'a', scores: [0.1, 0.2] },
      { manifestSha256: 'b', scores: [0.3, 0.4] },
    ];
    const load = startLoad(order(port, { expected, connections: 1, seconds: 0.3 }));
    const { failed, swaps } = await load.done;
    expect(failed).toEqual({
      "a score that is not its bundle's": 2,
      'a connection went back in generation': 1,
      'one generation, two digests': 1,
      'an unknown digest': expect.any(Number) as number,
    });
    expect(swaps.map(({ generation }) => generation)).toEqual([1, 2, 3]);
  });
});
