import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import getPort from 'get-port';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createObjectStore, type ObjectStore } from '../../platform/object-store.js';
import { testStore } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

let stack: SharedServers;
let store: ObjectStore;
let directory: string;
const prefix = `test-${randomUUID()}/`;

beforeAll(async () => {
  stack = await useServers(['s3']);
  store = await testStore(stack.env);
  directory = await mkdtemp(join(tmpdir(), 'sluice-object-store-'));
});

afterAll(async () => {
  store?.close();
  await rm(directory, { recursive: true, force: true });
});

describe('object store on a real S3 server', () => {
  it('reads what was written, with its etag; a missing object is null', async () => {
    const key = `${prefix}reads/one.json`;
    expect(await store.get(key)).toBeNull();
    expect(await store.head(key)).toBeNull();
    expect(await store.getStream(key)).toBeNull();
    expect(await store.putIfAbsent(key, Buffer.from('{"a":1}'), 'application/json')).toBe('created');
    const found = await store.get(key);
    expect(found?.bytes.toString()).toBe('{"a":1}');
    expect(await store.head(key)).toEqual({ bytes: 7, etag: found?.etag });
    const stream = await store.getStream(key);
    expect(stream === null ? null : await text(stream)).toBe('{"a":1}');
  });

  it('a full disk of ours is told as ours', async () => {
    const key = `${prefix}reads/large`;
    await store.putIfAbsent(key, randomBytes(300_000), 'application/octet-stream');
    await expect(store.getToFile(key, '/dev/full')).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringContaining('No space is left to write /dev/full') as string,
    });
  });

  it('writes once: of sixteen rivals one creates', async () => {
    for (let round = 0; round < 5; round++) {
      const key = `${prefix}absent/${round}`;
      const outcomes = await Promise.all(
        Array.from({ length: 16 }, (_, i) => store.putIfAbsent(key, Buffer.from(`rival ${i}`), 'text/plain')),
      );
      expect(outcomes.filter((outcome) => outcome === 'created')).toHaveLength(1);
      expect((await store.get(key))?.bytes.toString()).toBe(`rival ${outcomes.indexOf('created')}`);
    }
  });

  it('swaps only what it read: of sixteen rivals one wins, from nothing and from something', async () => {
    const key = `${prefix}match/pointer.json`;
    let etag: string | null = null;
    for (let round = 0; round < 5; round++) {
      const from: string | null = etag;
      const outcomes = await Promise.all(
        Array.from({ length: 16 }, (_, i) => store.putIfMatch(key, Buffer.from(`${round}/${i}`), from)),
      );
      const winners = outcomes.flatMap((outcome, i) =>
        outcome.outcome === 'swapped' ? [{ i, etag: outcome.etag }] : [],
      );
      expect(winners).toHaveLength(1);
      const now = await store.get(key);
      expect(now).toEqual({ bytes: Buffer.from(`${round}/${winners[0]?.i}`), etag: winners[0]?.etag });
      etag = now?.etag ?? null;
    }
    expect(await store.putIfMatch(`${prefix}match/never`, Buffer.from('x'), '"0123"')).toEqual({ outcome: 'lost' });
  });

  it('streams a file of several parts up, across and down', async () => {
    const path = join(directory, 'large.bin');
    const bytes = randomBytes(20 * 1024 * 1024 + 17);
    await writeFile(path, bytes);
    await store.putFile(`${prefix}large file ä+%.bin`, path);
    await store.copy(`${prefix}large file ä+%.bin`, `${prefix}copy.bin`);
    const target = join(directory, 'back.bin');
    expect((await store.getToFile(`${prefix}copy.bin`, target)).bytes).toBe(bytes.length);
    expect((await readFile(target)).equals(bytes)).toBe(true);
    await expect(store.copy(`${prefix}nothing`, `${prefix}x`)).rejects.toMatchObject({ type: 'NotFound' });
    await expect(store.getToFile(`${prefix}nothing`, target)).rejects.toMatchObject({ type: 'NotFound' });
  });

  it('lists below a prefix, over more than one page', async () => {
    const keys = Array.from({ length: 1005 }, (_, i) => `${prefix}list/${String(i).padStart(4, '0')}`);
    for (let i = 0; i < keys.length; i += 50) {
      await Promise.all(keys.slice(i, i + 50).map((key) => store.putIfAbsent(key, Buffer.from('x'), 'text/plain')));
    }
    expect((await store.list(`${prefix}list/`)).map(({ key }) => key)).toEqual(keys);
  });

  it('creates its bucket once', async () => {
    const fresh = await testStore(stack.env, { bucket: `b-${randomUUID()}` });
    await expect(fresh.get('x')).rejects.toMatchObject({ type: 'NotFound' });
    await fresh.ensureBucket();
    await fresh.ensureBucket();
    expect(await fresh.list('')).toEqual([]);
    fresh.close();
  });

  it('says where nobody answers, and what to do', async () => {
    const port = await getPort();
    const dead = createObjectStore({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      bucket: 'sluice',
      accessKeyId: 'id',
      secretAccessKey: 'very-secret',
    });
    for (const start of [
      () => dead.get('x'),
      () => dead.putIfMatch('x', Buffer.from(''), null),
      () => dead.list(''),
      () => dead.ensureBucket(),
    ]) {
      const call = start();
      await expect(call).rejects.toMatchObject({ type: 'Unreachable' });
      await expect(call).rejects.toThrow(new RegExp(`127\\.0\\.0\\.1:${port}.*S3_ENDPOINT`));
    }
    dead.close();
  });

  it('names refused credentials without showing them', async () => {
    const refused = await testStore(stack.env, { secretAccessKey: 'not-the-secret' });
    const error = await refused.get('x').catch((e: unknown) => e as Error);
    expect(error).toMatchObject({ type: 'Rejected', message: expect.stringContaining('S3_SECRET_ACCESS_KEY') });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('not-the-secret');
    refused.close();
  });
});
