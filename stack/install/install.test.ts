import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureBinary, type BinaryTool } from './binary.js';
import type { InstallContext } from './context.js';
import { checksumOf } from './download.js';
import { suitsMongod } from './mongod.js';
import { ensureTrainerPython, findPython } from './python.js';
import { suitsTemporal } from './temporal.js';

let home: string;
let messages: string[];
let context: InstallContext;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'install-'));
  mkdirSync(join(home, 'bin'));
  messages = [];
  context = {
    env: { XDG_CACHE_HOME: join(home, 'cache'), PATH: [join(home, 'bin'), '/usr/bin', '/bin'].join(delimiter) },
    log: ({ message }) => void messages.push(message),
  };
});
afterEach(() => rmSync(home, { recursive: true }));

/** An executable on PATH that answers every call with this text. */
function onPath(name: string, says: string): void {
  script(join(home, 'bin', name), says);
}
function script(path: string, says: string): void {
  writeFileSync(path, `#!/bin/sh\necho '${says}'\n`);
  chmodSync(path, 0o755);
}

const tool: BinaryTool = {
  name: 'sluice-test-tool',
  title: 'The tool',
  version: '2.0',
  part: 's3',
  versionArgs: ['--version'],
  suits: (output) => output.includes('2.'),
  lastResort: {
    describe: 'the last resort',
    install: (_context, directory) => {
      mkdirSync(join(directory, 'deep', 'down'), { recursive: true });
      script(join(directory, 'deep', 'down', 'sluice-test-tool'), 'version 2.0');
      writeFileSync(join(directory, 'README'), 'left over');
      return Promise.resolve();
    },
  },
  otherwise: 'Do without.',
};

describe('a tool that is one executable', () => {
  it('is taken from PATH where its version suits', async () => {
    onPath('sluice-test-tool', 'version 2.7');
    expect(await ensureBinary(context, tool)).toBe('sluice-test-tool');
  });

  it('is installed where PATH has another version; only the executable is kept', async () => {
    onPath('sluice-test-tool', 'version 1.0');
    const path = await ensureBinary(context, tool);
    expect(path).toMatch(/sluice-test-tool-2\.0-.*\/sluice-test-tool$/);
    expect(statSync(path).mode & 0o111).not.toBe(0);
    expect(readdirSync(join(path, '..')).sort()).toEqual(['sluice-install.json', 'sluice-test-tool']);
    expect(messages).toContainEqual(expect.stringContaining('is another version (version 1.0)'));
  });

  it('falls to the last resort within seconds where its publisher cannot be reached', async () => {
    const startedMs = Date.now();
    const unreachable = { url: 'http://127.0.0.1:1/tool.tar.gz', checksumUrl: 'http://127.0.0.1:1/checksums.txt' };
    const path = await ensureBinary(context, { ...tool, prebuilt: unreachable });
    expect(readFileSync(path, 'utf8')).toContain('version 2.0');
    expect(Date.now() - startedMs).toBeLessThan(6_000);
    expect(messages).toContainEqual(expect.stringMatching(/no luck with download: 127\.0\.0\.1:1 does not accept/));
  });

  it('that cannot be had names every way that was tried, and what to do; nothing stays behind', async () => {
    const failing = { describe: 'building it', install: () => Promise.reject(new Error('no compiler')) };
    await expect(ensureBinary(context, { ...tool, lastResort: failing })).rejects.toThrow(
      /The tool 2\.0 could not be installed\.\n- building it: no compiler\nDo without\./,
    );
    const broken: BinaryTool['lastResort'] = {
      describe: 'a copy',
      install: (_context, directory) => Promise.resolve(writeFileSync(join(directory, tool.name), 'not a program')),
    };
    await expect(ensureBinary(context, { ...tool, lastResort: broken })).rejects.toThrow(
      /does not run on this machine/,
    );
    expect(readdirSync(join(home, 'cache', 'sluice'))).toEqual([]);
  });
});

describe('versions', () => {
  it.each([
    ['temporal version 1.5.1 (Server 1.29.1, UI 2.42.1)', true],
    ['temporal version 1.6.0 (Server 1.30.0, UI 2.43.0)', true],
    ['temporal version 1.0.0 (Server 1.24.2, UI 2.28.0)', false],
    ['temporal version 2.0.0 (Server 2.0.0, UI 3.0.0)', false],
    ['something else', false],
  ])('Temporal: %s → %s', (output, suits) => expect(suitsTemporal(output)).toBe(suits));

  it.each([
    ['db version v6.0.5\nBuild Info: {}', true],
    ['db version v10.0.0', true],
    ['db version v5.0.31', false],
    ['', false],
  ])('MongoDB: %s → %s', (output, suits) => expect(suitsMongod(output)).toBe(suits));
});

it('finds a checksum by file name, and takes a list of one for what it is', () => {
  const [a, b] = ['a'.repeat(64), 'B'.repeat(64)];
  expect(checksumOf(`${a}  one.tar.gz\n${b} *two.tar.gz\n`, 'two.tar.gz')).toBe('b'.repeat(64));
  expect(checksumOf(`${a}\n`, 'one.tar.gz')).toBe(a);
  expect(checksumOf(`${a}  one.tar.gz\n`, 'two.tar.gz')).toBeUndefined();
  expect(checksumOf('<html>not found</html>', 'one.tar.gz')).toBeUndefined();
});

describe('Python', () => {
  it('that is too old everywhere is named with what was found and what to do', async () => {
    context.env = { ...context.env, PATH: join(home, 'bin') };
    onPath('python3', 'Python 3.9.18');
    await expect(findPython(context)).rejects.toThrow(
      /Python 3\.10 or newer is needed.*python3 is 3\.9\.18.*SLUICE_PYTHON/,
    );
  });

  it('is the first one that is new enough', async () => {
    context.env = { ...context.env, PATH: join(home, 'bin') };
    onPath('python3', 'Python 3.9.18');
    onPath('python3.12', 'Python 3.12.4');
    expect(await findPython(context)).toEqual({ command: 'python3.12', version: '3.12.4' });
  });

  it("of the user's that lacks packages is refused with their names", async () => {
    onPath('my-python', 'missing: lightgbm boto3');
    context.env = { ...context.env, SLUICE_PYTHON: join(home, 'bin', 'my-python') };
    await expect(ensureTrainerPython(context)).rejects.toThrow(/lacks lightgbm, boto3: run .* -m pip install -r/);
  });
});
