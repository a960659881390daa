import type * as files from 'node:fs/promises';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { writePointerFile } from '../../domain/pointer/pointer.js';
import { readFrom, testSigner, tinyTrust } from '../../test/support/live-tiny-bundle.js';
import { seeded } from '../../test/support/seeded.js';
import { makeTinyBundle, tinyPointer } from '../../test/support/tiny-bundle.js';
import { createBundleCache } from './bundle-cache.js';
import type { FetchedBundle } from '../traffic/orders.js';
import { verifyPointer, fetchBundle, type SignedPointer } from './bundle-source.js';

/** The process dies in the course of this one of its changes to the disk: a file is half written, anything else just done. */
const death = vi.hoisted(() => ({ atChange: Infinity }));

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof files>();
  const dying =
    <Args extends unknown[]>(change: (...args: Args) => Promise<unknown>, last = change) =>
    async (...args: Args): Promise<unknown> => {
      death.atChange -= 1;
      if (death.atChange > 0) return change(...args);
      if (death.atChange === 0) await last(...args);
      throw new Error('the process is dead');
    };
  return {
    ...real,
    mkdir: dying(real.mkdir),
    symlink: dying(real.symlink),
    rename: dying(real.rename),
    rm: dying(real.rm),
    writeFile: dying(
      (path: string, bytes: Buffer) => real.writeFile(path, bytes),
      (path, bytes) => real.writeFile(path, bytes.subarray(0, bytes.length >> 1)),
    ),
  };
});

type Pair = SignedPointer & FetchedBundle;
const { signer, trustedKeys } = testSigner();
const trust = tinyTrust(trustedKeys);
const scratch = mkdtempSync(join(tmpdir(), 'sluice-bundle-cache-'));
let serial = 0;
let first: Pair;
let second: Pair;

beforeAll(async () => {
  [first, second] = [await published(1), await published(2)];
});
beforeEach(() => {
  death.atChange = Infinity;
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A pointer and its bundle, as a follower gets them from the store. */
async function published(generation: number): Promise<Pair> {
  const bundle = await makeTinyBundle({ signer, patch: generation, eurRate: 1 + generation / 10 });
  const pointer = tinyPointer(bundle, generation);
  const signed = verifyPointer(writePointerFile(pointer, signer), trust);
  return { ...signed, ...(await fetchBundle(readFrom(bundle), trust, pointer)) };
}

const emptyDirectory = (): string => join(scratch, `${(serial += 1)}`);
const isPair = (found: Pair | null, ...pairs: (Pair | null)[]): boolean =>
  pairs.some(
    (pair) =>
      isDeepStrictEqual(found?.pointer, pair?.pointer) && isDeepStrictEqual(found?.loaded.files, pair?.loaded.files),
  );

const inBundle = ([name, bytes]: [string, Buffer]): [string, Buffer] => [`bundle/${name}`, bytes];

describe('the bundle kept on disk', () => {
  it('is read as it was written, the newest alone', async () => {
    const directory = emptyDirectory();
    const cache = createBundleCache(directory);
    expect(await cache.read(trust)).toBeNull();
    for (const pair of [first, second, second]) {
      await cache.write(pair, pair.raw);
      expect(isPair(await cache.read(trust), pair)).toBe(true);
      expect(readdirSync(directory)).toHaveLength(2);
    }
  });

  it.each([
    ['nothing', () => null],
    ['an older pair', () => first],
  ])(
    'is the old or the new pair, whenever the process died that had %s',
    async (_what, former) => {
      const before = former();
      let survived = false;
      for (let change = 1; !survived; change += 1) {
        const directory = emptyDirectory();
        const cache = createBundleCache(directory);
        if (before !== null) await cache.write(before, before.raw);
        death.atChange = change;
        survived = await cache.write(second, second.raw).then(
          () => true,
          () => false,
        );
        death.atChange = Infinity;

        const next = createBundleCache(directory);
        const found = await next.read(trust);
        expect(survived ? isPair(found, second) : isPair(found, before, second), `dead at change ${change}`).toBe(true);
        await next.write(second, second.raw);
        expect(isPair(await next.read(trust), second)).toBe(true);
        expect(readdirSync(directory), 'nothing is left of the attempt').toHaveLength(2);
      }
    },
    60_000,
  );

  it('is believed whole or not at all', async () => {
    const directory = emptyDirectory();
    const cache = createBundleCache(directory);
    await cache.write(first, first.raw);
    const kept = new Map([['pointer.json', first.bytes], ...[...first.raw].map(inBundle)]);
    const others = new Map([['pointer.json', second.bytes], ...[...second.raw].map(inBundle)]);
    const name = fc.constantFrom(...kept.keys());
    const place = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
    const damage = fc.oneof(
      fc.record({ how: fc.constant('flip' as const), name, place, bit: fc.nat({ max: 7 }) }),
      fc.record({ how: fc.constant('truncate' as const), name, place }),
      fc.record({ how: fc.constant('remove' as const), name }),
      fc.record({ how: fc.constant('take that of the other generation' as const), name }),
      fc.record({ how: fc.constant('take the bytes of' as const), name, from: name }),
    );
    const damaged = (wrong: Damage): Buffer | null => {
      const bytes = Buffer.from(kept.get(wrong.name) ?? '');
      if (wrong.how === 'remove') return null;
      if (wrong.how === 'take the bytes of') return kept.get(wrong.from) ?? null;
      if (wrong.how === 'take that of the other generation') return others.get(wrong.name) ?? null;
      const at = Math.floor(wrong.place * bytes.length);
      if (wrong.how === 'truncate') return bytes.subarray(0, at);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << wrong.bit);
      return bytes;
    };
    type Damage = typeof damage extends fc.Arbitrary<infer T> ? T : never;
    const put = (file: string, bytes: Buffer | null): void =>
      bytes === null
        ? rmSync(join(directory, 'current', file), { force: true })
        : writeFileSync(join(directory, 'current', file), bytes);

    await fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(damage, { minLength: 1, maxLength: 3, selector: ({ name }) => name }),
        async (all) => {
          for (const one of all) put(one.name, damaged(one));
          const found = await cache.read(trust).catch((error: Error) => error);
          for (const one of all) put(one.name, kept.get(one.name) ?? null);
          if (found === null) expect(all).toContainEqual({ how: 'remove', name: 'pointer.json' });
          else if (!(found instanceof Error)) expect(isPair(found, first)).toBe(true);
        },
      ),
      seeded(150),
    );
    expect(isPair(await cache.read(trust), first)).toBe(true);
  }, 60_000);

  it('is not believed without a trusted signature, or for another model or environment', async () => {
    const cache = createBundleCache(emptyDirectory());
    await cache.write(first, first.raw);
    for (const other of [
      { trustedKeys: testSigner().trustedKeys },
      { trustedKeys: new Map() },
      { model: 'other' },
      { environment: 'staging' as const },
    ])
      await expect(cache.read({ ...trust, ...other })).rejects.toMatchObject({ name: 'IntegrityError' });
  });
});
