import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { writePointerFile } from '../../domain/pointer/pointer.js';
import { readFrom, silent, testSigner, tinyTrust } from '../../test/support/live-tiny-bundle.js';
import { makeTinyBundle, tinyPointer } from '../../test/support/tiny-bundle.js';
import type { FetchedBundle } from '../traffic/orders.js';
import { createBundleCache } from './bundle-cache.js';
import { fetchBundle, verifyPointer, type SignedPointer } from './bundle-source.js';
import { createPointerFollower, type PointerFollower } from './pointer-follower.js';

const { signer, trustedKeys } = testSigner();
const trust = tinyTrust(trustedKeys);
const scratch = mkdtempSync(join(tmpdir(), 'sluice-restart-'));
let serial = 0;
let directory = '';
let published: (SignedPointer & FetchedBundle)[];
/** what the store offers; null: it is down */
let offered: (SignedPointer & FetchedBundle) | null = null;

beforeAll(async () => {
  published = await Promise.all(
    [1, 2, 3].map(async (generation) => {
      const bundle = await makeTinyBundle({ signer, patch: generation });
      const pointer = tinyPointer(bundle, generation);
      const signed = verifyPointer(writePointerFile(pointer, signer), trust);
      return { ...signed, ...(await fetchBundle(readFrom(bundle), trust, pointer)) };
    }),
  );
});
beforeEach(() => {
  directory = join(scratch, `${(serial += 1)}`);
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A process that starts, and cannot ask anybody else which generation is the newest. */
async function start(): Promise<PointerFollower> {
  const done = () => Promise.resolve();
  const follower = createPointerFollower({
    trust,
    serving: { prepare: done, switchTo: done, drop: done },
    cache: createBundleCache(directory),
    readPointer: () => (offered === null ? Promise.reject(new Error('S3 is down')) : Promise.resolve(offered)),
    readBundle: ({ generation }) => Promise.resolve(published[generation - 1] as FetchedBundle),
    knownGeneration: () => Promise.resolve(0),
    pollMs: () => 1_000,
    onLoaded: () => undefined,
    onRound: () => undefined,
    log: silent,
  });
  await follower.startFromCache();
  return follower;
}
const offer = (generation: number | null): void => {
  offered = generation === null ? null : (published[generation - 1] ?? null);
};

describe('a replica that starts again', () => {
  it('with the store down serves what it had, and says since when that is stale', async () => {
    offer(2);
    const first = await start();
    await first.catchUp();
    const beforeMs = Date.now();
    await first.catchUp();
    const afterMs = Date.now();
    expect(first.status().staleSince).toBeNull();

    offer(null);
    const since: (string | null)[] = [];
    for (let life = 0; life < 2; life += 1) {
      const follower = await start();
      expect(follower.held()?.pointer.generation).toBe(2);
      since.push(follower.status().staleSince);
      await expect(follower.catchUp()).rejects.toThrow('S3 is down');
      since.push(follower.status().staleSince);
    }
    // Another look, and another start, that failed do not change when it was true for the last time.
    expect(new Set(since).size).toBe(1);
    const atMs = Date.parse(since[0] ?? '');
    expect(atMs).toBeGreaterThanOrEqual(beforeMs - 1);
    expect(atMs).toBeLessThanOrEqual(afterMs);

    offer(2);
    const back = await start();
    await back.catchUp();
    expect(back.status().staleSince).toBeNull();
  });

  it('refuses what is older than what it served, also when its bundle cannot be read any more', async () => {
    for (const damaged of [null, 'isotonic.json']) {
      directory = join(scratch, `${(serial += 1)}`);
      offer(2);
      await (await start()).catchUp();
      if (damaged !== null) writeFileSync(join(directory, 'current', 'bundle', damaged), '{}');

      offer(1);
      const next = await start();
      expect(next.held()?.pointer.generation).toBe(damaged === null ? 2 : undefined);
      await expect(next.catchUp()).rejects.toMatchObject({ type: 'IntegrityError' });
      expect(next.held()?.pointer.generation).toBe(damaged === null ? 2 : undefined);
      expect(next.status().staleSince === null).toBe(damaged !== null);
      offer(3);
      expect(await next.catchUp()).toMatchObject({ outcome: 'loaded', live: { generation: 3 } });
    }
  });

  it('with nothing on disk is not stale: it serves nothing', async () => {
    offer(null);
    const follower = await start();
    await expect(follower.catchUp()).rejects.toThrow('S3 is down');
    expect(follower.status()).toMatchObject({ staleSince: null, error: 'S3 is down' });
  });
});
