import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import axios from 'axios';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readStackEnv, status, type StackStatus } from '../../stack/status.js';
import { startTimeOf } from '../../stack/supervise/identity.mjs';
import { Cli, type CliProcess } from '../support/cli.js';

// `sluice up` as users run it, twice at the same moment: one starts the stack, the other finds it.
let directory: string;
let cli: Cli;
let started: CliProcess[];
const said = ['', ''];
let found: StackStatus;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-up-'));
  cli = new Cli(directory);
  started = [cli.start('up'), cli.start('up')];
  started.forEach((one, i) => one.all.on('data', (chunk: Buffer) => (said[i] += chunk.toString())));
  await vi.waitUntil(() => said.some((text) => text.includes('Ctrl-C stops it')), { timeout: 250_000 });
  await vi.waitUntil(() => started.some(({ exitCode }) => exitCode !== null), { timeout: 30_000 });
  found = await status({ stateDir: join(directory, '.sluice') });
});
afterAll(async () => {
  for (const one of started) one.kill('SIGINT');
  await Promise.all(started);
  await rm(directory, { recursive: true, force: true });
});

const owner = (): CliProcess => started.find(({ pid }) => pid === found.pid) as CliProcess;

describe('sluice up', () => {
  it('twice at once makes one stack; the second says so and ends well', async () => {
    const other = started.find((one) => one !== owner()) as CliProcess;
    expect((await other).exitCode).toBe(0);
    expect(said[started.indexOf(other)]).toContain(`a stack is already running (process ${found.pid})`);
    expect(found.state).toBe('ready');
    expect(found.parts.map(({ name }) => name).sort()).toEqual(
      [
        'data-worker',
        'fx',
        'mlflow',
        'mongo',
        'release-worker',
        's3',
        'scorer-0',
        'temporal',
        'training-worker',
      ].sort(),
    );
  });

  it.runIf(process.platform === 'linux')('gives each process the secrets it needs and no others', async () => {
    const holding = async (variable: string): Promise<string[]> => {
      const holders: string[] = [];
      for (const { name, pid } of found.parts) {
        const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
        if (environment.split('\0').some((line) => line.startsWith(`${variable}=`))) holders.push(name);
      }
      return holders.sort();
    };
    expect(await holding('SLUICE_SIGNING_KEY_FILE')).toEqual(['data-worker', 'release-worker']);
    expect(await holding('SLUICE_ADMIN_TOKEN')).toEqual(['scorer-0']);
    expect(await holding('SLUICE_PRINCIPALS_FILE')).toEqual(['release-worker']);
    expect(await holding('FX_SOURCE')).toEqual(['data-worker']);
    // what the test itself runs with does not leak through
    expect(await holding('VITEST')).toEqual([]);
  });

  it("says where each worker serves its metrics and Temporal's, and has them there", async () => {
    for (const worker of ['release-worker', 'training-worker', 'data-worker']) {
      const address = found.parts.find(({ name }) => name === worker)?.address ?? '';
      expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/metrics$/);
      expect(said[started.indexOf(owner())]).toContain(address);
      const { data } = await axios.get<string>(address);
      expect(data).toMatch(/^temporal_num_pollers\{[^}]*task_queue="\w+"/m);
    }
  });

  it('starts a scorer that was killed again, at the same address', async () => {
    const url = readStackEnv(join(directory, '.sluice'))?.['SCORER_URL'] ?? '';
    const pid = found.parts.find(({ name }) => name === 'scorer-0')?.pid as number;
    process.kill(pid, 'SIGKILL');
    await vi.waitUntil(
      async () => {
        const scorer = (await status({ stateDir: join(directory, '.sluice') })).parts.find(
          ({ name }) => name === 'scorer-0',
        );
        return scorer?.state === 'ready' && scorer.pid !== pid;
      },
      { timeout: 60_000 },
    );
    expect((await axios.get(`${url}/v1/live`)).status).toBe(200);
  });

  it('ends on one Ctrl-C with nothing left', async () => {
    const { parts } = await status({ stateDir: join(directory, '.sluice') });
    owner().kill('SIGINT');
    const { exitCode } = await owner();
    expect(exitCode).toBe(0);
    expect(parts.map(({ pid }) => startTimeOf(pid as number))).toEqual(parts.map(() => null));
    expect(existsSync(join(directory, '.sluice', 'stack.lock'))).toBe(false);
    expect(said[started.indexOf(owner())]).toMatch(
      /scorer-0 stopped[^]*release-worker stopped[^]*mlflow stopped[^]*mongo stopped/,
    );
  });
});
