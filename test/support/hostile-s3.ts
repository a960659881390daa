import { once } from 'node:events';
import { createServer, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { finished } from 'node:stream';

/** What is answered in place of an object: so many bytes of zeros, these, or nothing while the connection stays open. */
export type Lie = { zeros: number; statesLength: boolean } | Buffer | 'silence';

/** An S3 server that somebody else has taken over: it passes everything on, and lies about the objects whose keys end as told. */
export interface HostileS3 {
  endpoint: string;
  lies: Map<string, Lie>;
  close(): Promise<void>;
}

/** @param endpoint the honest server, `http://host:port` */
export async function startHostileS3(endpoint: string): Promise<HostileS3> {
  const honest = new URL(endpoint);
  const lies = new Map<string, Lie>();
  const server = createServer((incoming, answer) => {
    const { pathname } = new URL(incoming.url ?? '/', 'http://here');
    const lie = incoming.method === 'GET' ? [...lies].find(([end]) => pathname.endsWith(end))?.[1] : undefined;
    if (lie !== undefined) {
      incoming.resume();
      tell(lie, answer);
      return;
    }
    const { hostname: host, port } = honest;
    const onward = request({ host, port, method: incoming.method, path: incoming.url, headers: incoming.headers });
    onward.on('response', (response) => {
      answer.writeHead(response.statusCode ?? 502, response.headers);
      response.pipe(answer);
    });
    onward.on('error', () => answer.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lies,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const CHUNK = Buffer.alloc(64 * 1024);

function tell(lie: Lie, answer: ServerResponse): void {
  if (lie === 'silence') return;
  const head = { etag: '"lie"', 'last-modified': new Date(0).toUTCString(), 'content-type': 'application/json' };
  if (Buffer.isBuffer(lie)) {
    answer.writeHead(200, { ...head, 'content-length': lie.length }).end(lie);
    return;
  }
  answer.writeHead(200, { ...head, ...(lie.statesLength ? { 'content-length': lie.zeros } : {}) });
  let left = lie.zeros;
  let gone = false;
  finished(answer, () => (gone = true));
  const more = (): void => {
    while (left > 0 && !gone) {
      const chunk = CHUNK.subarray(0, Math.min(left, CHUNK.length));
      left -= chunk.length;
      if (!answer.write(chunk)) {
        answer.once('drain', more);
        return;
      }
    }
    if (!gone) answer.end();
  };
  more();
}
