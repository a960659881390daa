import { createServer as createHttp } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { connectMongo } from '../platform/mongo.js';
import { createObjectStore } from '../platform/object-store.js';
import { probeParts } from './probe.js';
import type { PartInfo } from './types.js';

// Servers that are up and say nothing, as a frozen process is: its port goes on taking connections.
const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function listening(server: Server): Promise<string> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  closing.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}
const silentServer = () => listening(createServer(() => {}));

const part = (name: string, address: string, change: Partial<PartInfo> = {}): PartInfo => ({
  name,
  address,
  pid: null,
  logFile: null,
  external: false,
  state: 'ready',
  restarts: 0,
  ...change,
});
async function took<T>(work: Promise<T>): Promise<{ ms: number; result: T | Error }> {
  const start = Date.now();
  const result = await work.catch((error: unknown) => error as Error);
  return { ms: Date.now() - start, result };
}

describe('a probe', () => {
  it('tells a server that answers from one that only takes connections, and asks none that is not ready', async () => {
    const silent = await silentServer();
    const http = await listening(createHttp((_, response) => response.writeHead(403).end()));
    const http2 = await listening(createHttp2());
    const { ms, result } = await took(
      probeParts(
        [
          part('s3', `http://${http}`),
          part('mlflow', `http://${silent}`),
          part('temporal', http2),
          part('temporal', silent),
          part('mongo', silent),
          part('scorer-0', `http://${silent}`, { state: 'starting' }),
        ],
        { MONGODB_URI: `mongodb://${silent}/` },
        300,
      ),
    );
    expect((result as PartInfo[]).map(({ state }) => state)).toEqual([
      'ready',
      'silent',
      'ready',
      'silent',
      'silent',
      'starting',
    ]);
    expect(ms).toBeLessThan(3_000);
  });

  it('sees a worker that was stopped by a signal', async () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    closing.push(() => child.kill('SIGKILL'));
    const pid = child.pid as number;
    const states = async () => (await probeParts([part('data-worker', '', { pid })], {}))[0]?.state;
    expect(await states()).toBe('ready');
    child.kill('SIGSTOP');
    await expect.poll(states).toBe('silent');
    child.kill('SIGCONT');
    await expect.poll(states).toBe('ready');
  });
});

describe('a client of a frozen server gives up in the time that it names', () => {
  it('MongoDB', async () => {
    const uri = `mongodb://${await silentServer()}/`;
    const { ms, result } = await took(connectMongo({ uri, database: 'x', serverSelectionTimeoutMs: 600 }));
    expect(result).toMatchObject({ type: 'Unreachable', message: expect.stringContaining('after 600 ms') as string });
    expect(ms).toBeLessThan(3_000);
  });

  it('S3', async () => {
    const store = createObjectStore({
      endpoint: `http://${await silentServer()}`,
      region: 'us-east-1',
      bucket: 'b',
      accessKeyId: 'a',
      secretAccessKey: 's',
      idleTimeoutMs: 600,
    });
    closing.push(() => store.close());
    const { ms, result } = await took(store.list(''));
    expect(result).toMatchObject({ type: 'Unreachable' });
    expect(ms).toBeLessThan(3_000);
  });
});
