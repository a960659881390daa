import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identify } from '../supervise/identity.mjs';
import { lockHolder, takeLock, waitForLock } from './lock.js';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'lock-'));
  path = join(directory, 'lock');
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the lock', () => {
  it('has one holder, and can be taken again after its release', async () => {
    const first = await takeLock(path);
    expect('release' in first).toBe(true);
    expect(await takeLock(path)).toEqual({ heldBy: identify(process.pid) });
    if ('release' in first) first.release();
    expect(existsSync(path)).toBe(false);
    expect('release' in (await takeLock(path))).toBe(true);
  });

  it.each([
    ['a process that is gone', JSON.stringify({ pid: 2 ** 22 + 1, startedAt: 'x' })],
    ['a process whose pid another one has now', JSON.stringify({ pid: process.pid, startedAt: 'earlier' })],
    ['nobody: the file is damaged', '{"pid":'],
  ])('left by %s is free; of many that find it one gets it', async (_who, content) => {
    writeFileSync(path, content);
    expect(lockHolder(path)).toBeNull();
    const results = await Promise.all(Array.from({ length: 20 }, () => takeLock(path)));
    expect(results.filter((result) => 'release' in result)).toHaveLength(1);
  });

  it('is waited for', async () => {
    const order: string[] = [];
    const release = await waitForLock(path, () => {});
    const second = waitForLock(
      path,
      ({ pid }) => void order.push(`waiting for ${pid === process.pid ? 'us' : 'another'}`),
    ).then((done) => {
      order.push('second');
      done();
    });
    await Promise.resolve();
    order.push('first');
    release();
    await second;
    expect(order.at(-1)).toBe('second');
    await expect(waitForLock(path, () => {}, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
  });
});
