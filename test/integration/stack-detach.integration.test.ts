import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axios from 'axios';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readStackEnv, status } from '../../stack/status.js';
import { startTimeOf } from '../../stack/supervise/identity.mjs';
import { Cli, type CliResult } from '../support/cli.js';

// `sluice up --detach`, `logs` and `down` as users run them.
let directory: string;
let cli: Cli;
let stateDir: string;
let first: CliResult;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-detach-'));
  stateDir = join(directory, '.sluice');
  cli = new Cli(directory);
  first = await cli.run('up', '--detach');
});
afterAll(async () => {
  await cli.run('down');
  await rm(directory, { recursive: true, force: true });
});

describe('a detached stack', () => {
  it('is ready when the command returns, in a session of its own, and says how to stop it', async () => {
    expect(first).toMatchObject({ exitCode: 0 });
    expect(first.stdout).toMatch(/✔ scorer-0 +scorer-0 is ready/);
    expect(first.stdout).toMatch(/ready +temporal +127\.0\.0\.1:/);
    expect(first.stdout).toContain('`sluice down` stops it');
    const { state, pid } = await status({ stateDir });
    expect(state).toBe('ready');
    const url = readStackEnv(stateDir)?.['SCORER_URL'] ?? '';
    expect((await axios.get(`${url}/v1/live`)).status).toBe(200);
    if (process.platform !== 'linux') return;
    const fields = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ');
    // proc(5): fields 5 and 6, its process group and its session, are its own
    expect([fields[2], fields[3]]).toEqual([String(pid), String(pid)]);
  });

  it('is found by a second one, which says so and changes nothing', async () => {
    const before = await status({ stateDir });
    const { exitCode, stdout } = await cli.run('up', '--detach');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`a stack is already running (process ${before.pid})`);
    expect(stdout).toMatch(/ready +scorer-0/);
    expect((await status({ stateDir })).parts).toEqual(before.parts);
  });

  it('has logs: the last lines of a part, what is added to it, and which parts there are', async () => {
    const { exitCode, stdout } = await cli.run('logs', 'release-worker', '--lines', '2');
    expect(exitCode).toBe(0);
    expect(stdout.split('\n')).toHaveLength(2);
    expect(await cli.run('logs', 'scorer')).toMatchObject({
      exitCode: 2,
      stderr: expect.stringMatching(/no log of "scorer"; there are .*mongo.*scorer-0.*stack/) as string,
    });
    expect((await cli.run('logs', 'stack')).stdout).toContain('Ctrl-C stops it');

    const following = cli.start('logs', 'scorer-0', '--follow', '--lines', '0');
    let said = '';
    following.all.on('data', (chunk: Buffer) => (said += chunk.toString()));
    const url = readStackEnv(stateDir)?.['SCORER_URL'] ?? '';
    await vi.waitUntil(
      async () => {
        await axios.post(`${url}/v1/score`, {}, { validateStatus: () => true });
        return said.includes('\n');
      },
      { timeout: 20_000, interval: 300 },
    );
    following.kill('SIGINT');
    expect((await following).exitCode).toBe(130);
  });

  it('is stopped by down with nothing left, and its logs can still be read', async () => {
    const { parts, pid } = await status({ stateDir });
    expect(await cli.run('down')).toMatchObject({ exitCode: 0, stdout: 'stopped' });
    const pids = [pid, ...parts.map((part) => part.pid)] as number[];
    expect(pids.map((one) => startTimeOf(one))).toEqual(pids.map(() => null));
    expect(existsSync(join(stateDir, 'stack.lock'))).toBe(false);
    const { exitCode, stdout } = await cli.run('logs', 'stack');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/mongo stopped/);
  });
});

describe('a stack that cannot start', () => {
  const leftOf = async (dir: string) => ({
    lock: existsSync(join(dir, 'stack.lock')),
    ...(await status({ stateDir: dir })),
  });

  it('says why and leaves nothing, where a server of the user’s does not answer', async () => {
    const broken = new Cli(directory, { MONGODB_URI: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=300' });
    const dir = join(directory, 'broken');
    const { exitCode, stderr } = await broken.run('--state-dir', dir, 'up', '--detach');
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/127\.0\.0\.1:1[^]*the whole log: .*stack\.log/);
    expect(await leftOf(dir)).toMatchObject({ lock: false, running: false });
  });

  it('asks for the model to serve where there are two', async () => {
    const models = join(directory, 'models');
    for (const name of ['cards', 'loans']) await mkdir(join(models, name), { recursive: true });
    const dir = join(directory, 'two');
    const { exitCode, stderr } = await new Cli(directory, { SLUICE_MODELS_DIR: models }).run(
      '--state-dir',
      dir,
      'up',
      '--detach',
    );
    expect(exitCode).toBe(2);
    expect(stderr).toMatch(/SCORER_MODEL.*cards, loans/);
    expect(await leftOf(dir)).toMatchObject({ lock: false, running: false });
  });

  it('refuses a state directory that cannot be written', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    const { exitCode, stderr } = await cli.run('--state-dir', join(file, 'state'), 'up', '--detach');
    expect(exitCode).not.toBe(0);
    expect(stderr).toMatch(/cannot be written/);
  });
});
