import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { sha256Hex } from '../../domain/bundle/digest.js';
import type { Cli } from '../cli.js';
import { createOutput } from '../output.js';
import { principalsCommand } from './principals.js';

let directory: string;
beforeEach(() => (directory = mkdtempSync(join(tmpdir(), 'sluice-principals-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const stored = () => JSON.parse(readFileSync(join(directory, 'principals.json'), 'utf8')) as unknown;

async function run(...words: string[]): Promise<Record<string, unknown>> {
  let said = '';
  const stream = { write: (text: string) => void (said += text) } as unknown as NodeJS.WriteStream;
  const cli = {
    output: createOutput({ json: true, stdout: stream, stderr: stream, dumb: false }),
    env: {},
    stateDirectory: directory,
    setExitCode: () => undefined,
  } as unknown as Cli;
  await principalsCommand(cli).parseAsync(words, { from: 'user' });
  return JSON.parse(said) as Record<string, unknown>;
}

it('adds somebody, then roles and a token of theirs, and keeps only the digest of it', async () => {
  await expect(run('add', 'grace', '--role', 'approver')).rejects.toMatchObject({ type: 'NotFound' });
  writeFileSync(join(directory, 'principals.json'), '{"principals": [{"name": "root", "roles": ["operator"]}]}');
  await run('add', 'grace', '--role', 'approver');
  expect(stored()).toEqual({
    principals: [
      { name: 'root', roles: ['operator'] },
      { name: 'grace', roles: ['approver'] },
    ],
  });
  const { token } = await run('add', 'grace', '--role', 'operator', '--role', 'approver', '--token');
  expect(stored()).toEqual({
    principals: [
      { name: 'root', roles: ['operator'] },
      { name: 'grace', roles: ['approver', 'operator'], token_sha256: sha256Hex(token as string) },
    ],
  });
  expect(await run('list')).toEqual([
    { name: 'root', roles: ['operator'], proven: false },
    { name: 'grace', roles: ['approver', 'operator'], proven: true },
  ]);
});

it('refuses a role that there is none of, with those there are, and changes nothing', async () => {
  writeFileSync(join(directory, 'principals.json'), '{"principals": []}');
  await expect(run('add', 'grace', '--role', 'boss')).rejects.toMatchObject({
    type: 'InvalidInput',
    message: expect.stringMatching(/\/principals\/0\/roles\/0 .*approver/) as string,
  });
  expect(stored()).toEqual({ principals: [] });
});
