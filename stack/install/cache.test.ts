import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureCached, type CacheEntry } from './cache.js';
import type { InstallContext } from './context.js';

let home: string;
let messages: string[];
let context: InstallContext;
let installs: number;
let entry: CacheEntry;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'cache-'));
  messages = [];
  installs = 0;
  context = { env: { XDG_CACHE_HOME: home }, log: ({ message }) => void messages.push(message) };
  entry = {
    key: 'tool-1',
    title: 'the tool',
    part: 's3',
    hashed: ['tool'],
    install: (draft) => {
      installs += 1;
      writeFileSync(join(draft, 'tool'), 'binary');
      mkdirSync(join(draft, 'lib'));
      writeFileSync(join(draft, 'lib', 'a.py'), 'a = 1');
      return Promise.resolve();
    },
  };
});
afterEach(() => rmSync(home, { recursive: true }));

const file = (...path: string[]): string => join(home, 'sluice', 'tool-1', ...path);

describe('the cache of tools', () => {
  it('installs once', async () => {
    expect(await ensureCached(context, entry)).toBe(file());
    await ensureCached(context, entry);
    expect(installs).toBe(1);
    expect(readdirSync(join(home, 'sluice'))).toEqual(['tool-1']);
  });

  it.each([
    ['a missing file', () => rmSync(file('lib', 'a.py')), 'lib/a.py is missing'],
    ['a cut file', () => writeFileSync(file('lib', 'a.py'), 'a'), 'lib/a.py has 1 bytes instead of 5'],
    ['a changed executable of the same size', () => writeFileSync(file('tool'), 'BINARY'), 'tool was changed'],
    ['no manifest', () => rmSync(file('sluice-install.json')), 'sluice-install.json is missing'],
  ])('notices %s and installs again', async (_what, harm, message) => {
    await ensureCached(context, entry);
    harm();
    await ensureCached(context, entry);
    expect(installs).toBe(2);
    expect(messages.join('\n')).toContain(message);
    expect(readFileSync(file('tool'), 'utf8')).toBe('binary');
  });

  it('does not mind a new modification time on the same bytes', async () => {
    await ensureCached(context, entry);
    utimesSync(file('tool'), 1, 1);
    await ensureCached(context, entry);
    expect(installs).toBe(1);
  });

  it('leaves nothing usable behind when an install fails, and removes what a killed one left', async () => {
    const failing = { ...entry, install: () => Promise.reject(new Error('no space left')) };
    await expect(ensureCached(context, failing)).rejects.toThrow('no space left');
    expect(readdirSync(join(home, 'sluice'))).toEqual([]);
    mkdirSync(join(home, 'sluice', 'tool-1.draft-dead'), { recursive: true });
    await ensureCached(context, entry);
    expect(readdirSync(join(home, 'sluice'))).toEqual(['tool-1']);
  });

  it('lets two installs of the same tool take turns: the second finds what the first made', async () => {
    const [one, two] = await Promise.all([ensureCached(context, entry), ensureCached(context, entry)]);
    expect(one).toBe(two);
    expect(installs).toBe(1);
  });
});
