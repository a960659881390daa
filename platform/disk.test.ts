import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type * as files from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationFailure } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { withDiskTold } from './disk.js';
import { toFailure } from './errors.js';
import { createMlflowClient } from './mlflow.js';
import { mongoFailure } from './mongo.js';
import { createObjectStore } from './object-store.js';

const disk = vi.hoisted(() => ({ freeBytes: 0, asked: [] as string[] }));
vi.mock('node:fs/promises', async (importOriginal) => ({
  ...(await importOriginal<typeof files>()),
  statfs: (path: string) => {
    disk.asked.push(path);
    return Promise.resolve({ bavail: disk.freeBytes / 4096, bsize: 4096 });
  },
}));

// As versitygw 1.8, MinIO, Ceph and MLflow answered on disks and quotas that were full.
const FULL: Record<string, [status: number, body: string]> = {
  versitygw: [507, '<Error><Code>InsufficientStorage</Code><Message>No space left on device.</Message></Error>'],
  minio: [
    507,
    '<Error><Code>XMinioStorageFull</Code><Message>Storage backend has reached its limit.</Message></Error>',
  ],
  ceph: [403, '<Error><Code>QuotaExceeded</Code></Error>'],
  sqlite: [503, '{"error_code":"TEMPORARILY_UNAVAILABLE","message":"(sqlite3.OperationalError) disk is full"}'],
  artifacts: [500, '{"error_code":"INTERNAL_ERROR","message":"[Errno 28] No space left on device: \'/mlruns/1\'"}'],
};
let server: Server;
let origin: string;
beforeAll(async () => {
  server = createServer((request, response) => {
    request.resume();
    const who = Object.keys(FULL).find((name) => request.url?.includes(name)) ?? '';
    const [status, body] = FULL[who] ?? [200, ''];
    response.writeHead(status, { 'content-type': body.startsWith('<') ? 'application/xml' : 'application/json' });
    response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

describe('a full disk is told as one', () => {
  it.each(['versitygw', 'minio', 'ceph'])('by S3 as %s words it', async (who) => {
    const store = createObjectStore({
      endpoint: origin,
      region: 'us-east-1',
      bucket: who,
      accessKeyId: 'k',
      secretAccessKey: 's',
    });
    await expect(store.putIfAbsent('a', Buffer.from('x'), 'text/plain')).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringContaining(`S3 at ${origin} (bucket ${who}) has no space left for put a`) as string,
    });
    store.close();
  });

  it.each(['sqlite', 'artifacts'])('by MLflow where its %s cannot be written', async (who) => {
    await expect(createMlflowClient(`${origin}/${who}`).getRun('r')).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringMatching(/^MLflow at .* has no disk space left/) as string,
    });
  });

  it('by MongoDB, and by a process of ours; and what waits goes on by itself', () => {
    const mongo = mongoFailure(Object.assign(new Error('write failed: No space left on device'), { code: 1 }), 'db:1');
    expect(toFailure(mongo)).toMatchObject({ type: 'DiskFull', nonRetryable: false });
    const ours = Object.assign(new Error("ENOSPC: no space left on device, open '/tmp/x'"), { code: 'EDQUOT' });
    expect(toFailure(ours)).toMatchObject({ type: 'DiskFull', nonRetryable: false });
  });
});

describe('a server that cannot be reached', () => {
  const unreachable = ApplicationFailure.create({ type: 'Unreachable', message: 'MLflow at x cannot be reached' });

  it('is told as a full disk where the disk of the state directory is full', async () => {
    disk.freeBytes = 0;
    const told = await withDiskTold(unreachable, join(tmpdir(), 'not', 'made', 'yet'));
    expect(told).toMatchObject({
      type: 'DiskFull',
      nonRetryable: false,
      message: `No space is left on the disk of ${tmpdir()}. MLflow at x cannot be reached`,
    });
    expect(disk.asked).toEqual([tmpdir()]);
  });

  it('is told as it is where there is space, and every other failure in any case', async () => {
    disk.freeBytes = 5 * 1024 * 1024;
    expect(await withDiskTold(unreachable, tmpdir())).toBe(unreachable);
    disk.freeBytes = 0;
    const other = ApplicationFailure.create({ type: 'GateFailed', message: 'x' });
    expect(await withDiskTold(other, tmpdir())).toBe(other);
  });
});
