import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { readLimited } from '../../platform/files.js';
import { settle } from '../../test/support/pending-calls.js';
import { createDirectoryReader } from './directory-reader.js';

/** What every reading waits for, and what it fails with. */
const mount = { hangs: Promise.resolve(), code: null as string | null, readings: 0 };
const fromMount: typeof readLimited = async (...args) => {
  mount.readings += 1;
  await mount.hangs;
  if (mount.code !== null) throw Object.assign(new Error('the mount'), { code: mount.code });
  return readLimited(...args);
};

const scratch = mkdtempSync(join(tmpdir(), 'sluice-reader-'));
const limit = { maxBytes: 100 };
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
afterEach(() => void vi.useRealTimers());

describe('the reader of a directory that others change', () => {
  it('reads all files from one place, whatever becomes of the link meanwhile', async () => {
    for (const name of ['one', 'two']) {
      mkdirSync(join(scratch, name));
      writeFileSync(join(scratch, name, 'file'), name);
    }
    const current = join(scratch, 'current');
    const pointTo = (name: string): void => {
      symlinkSync(name, `${current}.new`);
      renameSync(`${current}.new`, current);
    };
    pointTo('one');
    const open = createDirectoryReader(current);
    const before = await open();
    pointTo('two');
    expect((await before('file', limit)).toString()).toBe('one');
    expect((await (await open())('file', limit)).toString()).toBe('two');
    await expect((await open())('other', limit)).rejects.toMatchObject({
      type: 'IntegrityError',
      message: `${join(current, 'other')} is missing`,
    });
    await expect(before('file', { maxBytes: 1 })).rejects.toMatchObject({ type: 'TooLarge' });
    await expect(createDirectoryReader(join(scratch, 'none'))()).rejects.toMatchObject({ type: 'IntegrityError' });
  });

  it('tells what it cannot read, and asks a mount that hangs nothing more until it is back', async () => {
    // Time stands still, so that only what hangs is late.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    writeFileSync(join(scratch, 'file'), 'content');
    const read = await createDirectoryReader(scratch, 20, fromMount)();
    mount.code = 'ESTALE';
    await expect(read('file', limit)).rejects.toMatchObject({
      type: 'Unreachable',
      message: `${join(scratch, 'file')} cannot be read (ESTALE)`,
    });
    mount.code = null;

    let comeBack = (): void => undefined;
    mount.hangs = new Promise((resolve) => (comeBack = resolve));
    mount.readings = 0;
    const hanging = expect(read('file', limit)).rejects.toMatchObject({ type: 'Unreachable' });
    vi.advanceTimersByTime(20);
    await hanging;
    for (let time = 0; time < 3; time += 1)
      await expect(read('file', limit)).rejects.toMatchObject({ type: 'Unreachable' });
    expect(mount.readings).toBe(1);

    comeBack();
    let content: string | null = null;
    while (content === null) {
      await settle();
      content = await read('file', limit).then(String, () => null);
    }
    expect(content).toBe('content');
  });
});
