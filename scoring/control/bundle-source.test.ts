import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readableJson, sha256Hex } from '../../domain/bundle/digest.js';
import { MANIFEST_FILE, MANIFEST_PAYLOAD_TYPE, SIGNATURE_FILE } from '../../domain/bundle/layout.js';
import { signEnvelope } from '../../domain/dsse/dsse.js';
import { readLimited } from '../../platform/files.js';
import { readFrom, testSigner, tinyTrust } from '../../test/support/live-tiny-bundle.js';
import { randomOf } from '../../test/support/random.js';
import { makeTinyBundle, type TinyBundle } from '../../test/support/tiny-bundle.js';
import { fetchBundle } from './bundle-source.js';

const { signer, trustedKeys } = testSigner();
const trust = tinyTrust(trustedKeys);
const directories: string[] = [];
let good: TinyBundle;

beforeAll(async () => {
  good = await makeTinyBundle({ signer });
});
afterAll(() => directories.forEach((directory) => rmSync(directory, { recursive: true })));

const bytesOf = (name: string): Buffer => good.files.get(name) as Buffer;
const named = ({ version, manifestSha256 }: TinyBundle) => ({ version, manifest_sha256: manifestSha256 });

/** How the good bundle with one file changed ends: `loaded`, or its failure type. Named by a pointer, or pinned, where the signature alone vouches. */
async function outcome(name: string, bytes: Buffer, pinned: boolean): Promise<string> {
  const changed = { ...good, files: new Map(good.files).set(name, bytes) };
  try {
    await fetchBundle(readFrom(changed), trust, pinned ? null : named(good));
    return 'loaded';
  } catch (error) {
    return (error as Error).name;
  }
}

const withByte = (bytes: Buffer, at: number, byte: number): Buffer => {
  const copy = Buffer.from(bytes);
  copy[at] = byte;
  return copy;
};

describe('one byte is not what it was', () => {
  it('10,000 times, in the manifest, its signature or a file: never loaded', async () => {
    const random = randomOf(20250630);
    const below = (limit: number): number => Math.floor(random() * limit);
    const files = [...good.files.keys()];
    const outcomes = new Map<string, number>();
    for (let draw = 0; draw < 10_000; draw += 1) {
      const name = [MANIFEST_FILE, SIGNATURE_FILE, files[below(files.length)] as string][draw % 3] as string;
      const bytes = bytesOf(name);
      const at = below(bytes.length);
      const damaged = withByte(bytes, at, (bytes[at] as number) ^ (1 + below(255)));
      const ended = await outcome(name, damaged, random() < 0.5);
      outcomes.set(ended, (outcomes.get(ended) ?? 0) + 1);
      if (ended === 'loaded') expect.fail(`byte ${at} of ${name} was ${bytes[at]}, is ${damaged[at]}: loaded`);
    }
    expect([...outcomes]).toEqual([['IntegrityError', 10_000]]);
    expect(await outcome(MANIFEST_FILE, bytesOf(MANIFEST_FILE), true)).toBe('loaded');
  });

  it('though it would mean the same: a blank, or a letter of base64', async () => {
    const bytes = bytesOf(SIGNATURE_FILE);
    const alike = [...' \t\n\r'].map((blank) => blank.charCodeAt(0));
    const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_='].map((letter) =>
      letter.charCodeAt(0),
    );
    let tried = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const own = bytes[at] as number;
      const isLast = bytes[at + 1] === 0x22 || bytes[at + 1] === 0x3d;
      const others = alike.includes(own)
        ? alike
        : own === 0x2b
          ? [0x2d]
          : own === 0x2f
            ? [0x5f]
            : isLast
              ? letters
              : [];
      for (const byte of others) {
        if (byte === own) continue;
        tried += 1;
        expect(await outcome(SIGNATURE_FILE, withByte(bytes, at, byte), true), `byte ${at}: ${byte}`).toBe(
          'IntegrityError',
        );
      }
    }
    expect(tried).toBeGreaterThan(200);
  });

  it('or is one more, or one less', async () => {
    for (const [name, bytes] of good.files) {
      for (const other of [bytes.subarray(1), bytes.subarray(0, -1), Buffer.concat([bytes, Buffer.from('\n')])])
        expect(await outcome(name, other, true), name).toBe('IntegrityError');
    }
  });
});

/** The good bundle with further files in its manifest, signed by the right key. */
function listing(files: Record<string, Buffer>): TinyBundle {
  const manifest = JSON.parse(bytesOf(MANIFEST_FILE).toString('utf8')) as { files: Record<string, unknown> };
  for (const [name, bytes] of Object.entries(files))
    Object.defineProperty(manifest.files, name, {
      value: { sha256: sha256Hex(bytes), bytes: bytes.length },
      enumerable: true,
    });
  const bytes = readableJson(manifest);
  const all = new Map([...good.files, ...Object.entries(files)])
    .set(MANIFEST_FILE, bytes)
    .set(SIGNATURE_FILE, readableJson(signEnvelope(MANIFEST_PAYLOAD_TYPE, bytes, signer)));
  return { ...good, manifestSha256: sha256Hex(bytes), files: all };
}

describe('what a manifest lists', () => {
  it.each([
    '../x',
    '/etc/passwd',
    '..',
    '.',
    'a/b',
    'a\\b',
    'a/../../x',
    '.x',
    '-x',
    'x\0',
    'x\n',
    '%2e%2e%2fx',
    'ä',
    'con:',
  ])('%j is no name of a file, and is not even looked for', async (name) => {
    const asked: string[] = [];
    const bundle = listing({ [name]: Buffer.from('x') });
    const read = (file: string): Promise<Buffer> => {
      asked.push(file);
      return readFrom(bundle)(file);
    };
    await expect(fetchBundle(read, trust, named(bundle))).rejects.toMatchObject({ name: 'IntegrityError' });
    expect(asked).toEqual([MANIFEST_FILE, SIGNATURE_FILE]);
  });

  it('a plain name is one', async () => {
    const bundle = listing({ 'more.version.json': Buffer.from('x') });
    expect((await fetchBundle(readFrom(bundle), trust, named(bundle))).loaded.files.has('more.version.json')).toBe(
      true,
    );
  });

  it('101 files are too many', async () => {
    const bundle = listing(Object.fromEntries(Array.from({ length: 101 }, (_, at) => [`f${at}`, Buffer.from('x')])));
    await expect(fetchBundle(readFrom(bundle), trust, named(bundle))).rejects.toThrow(/at most 100/);
  });
});

/** The good bundle in a folder, as a pinned replica reads it. */
function inFolder(): { folder: string; fetch: () => ReturnType<typeof fetchBundle> } {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-folder-'));
  directories.push(folder);
  for (const [name, bytes] of good.files) writeFileSync(join(folder, name), bytes);
  return { folder, fetch: () => fetchBundle((name, limit) => readLimited(join(folder, name), limit), trust, null) };
}

describe('a folder', () => {
  it('with a file that nobody lists: it is not read', async () => {
    const { folder, fetch } = inFolder();
    writeFileSync(join(folder, 'more.json'), 'x');
    const { loaded, raw } = await fetch();
    expect([loaded.files.has('more.json'), raw.has('more.json'), raw.size]).toEqual([false, false, good.files.size]);
  });

  it.each(['manifest.json', 'manifest.sig', 'pipeline.onnx', 'rates.json'])('without %s', async (name) => {
    const { folder, fetch } = inFolder();
    rmSync(join(folder, name));
    await expect(fetch()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('with links: what they lead to is believed as little as anything else', async () => {
    const { folder, fetch } = inFolder();
    const other = inFolder().folder;
    const link = (name: string, to: string) => {
      rmSync(join(folder, name));
      symlinkSync(to, join(folder, name));
    };
    link('rates.json', join(other, 'rates.json'));
    expect((await fetch()).loaded.version).toBe(good.version);
    writeFileSync(join(other, 'rates.json'), bytesOf('rates.json').toString('utf8').replace('1.15', '1.16'));
    await expect(fetch()).rejects.toThrow(/rates\.json has digest/);
    link('rates.json', '/etc/passwd');
    await expect(fetch()).rejects.toMatchObject({ name: 'SluiceError', type: 'IntegrityError' });
    link('rates.json', 'rates.json');
    await expect(fetch()).rejects.toMatchObject({ code: 'ELOOP' });
  });

  it('with a device, a pipe or a folder in place of a file: refused, and nobody waits', async () => {
    for (const name of ['manifest.json', 'pipeline.onnx']) {
      const { folder, fetch } = inFolder();
      const path = join(folder, name);
      rmSync(path);
      symlinkSync('/dev/zero', path);
      await expect(fetch()).rejects.toThrow(/is not a regular file/);
      rmSync(path);
      execFileSync('mkfifo', [path]);
      await expect(fetch()).rejects.toThrow(/is not a regular file/);
      rmSync(path);
      symlinkSync('/', path);
      await expect(fetch()).rejects.toThrow(/is not a regular file/);
    }
  });
});
