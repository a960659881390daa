import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { projectPath } from '../../platform/project.js';
import { down } from '../../stack/main.js';
import { readStackEnv, status } from '../../stack/status.js';
import { statePaths } from '../../stack/state/paths.js';
import { readRecord, type StackRecord } from '../../stack/state/record.js';
import { isRunning, startTimeOf } from '../../stack/supervise/identity.mjs';
import { startTestStack, testEnv } from '../support/stack.js';

// What becomes of the servers when the process that owns them ends in this way or that one. The owner runs the build.
interface Owner {
  process: ChildProcess & { pid: number };
  stateDir: string;
  env: Record<string, string>;
}
const owners: Owner[] = [];

async function own(stateDir: string, parts = 'mongo,s3'): Promise<Owner> {
  const child = spawn(process.execPath, [projectPath('test', 'support', 'stack-owner.mjs'), stateDir, parts], {
    env: testEnv(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout });
  const [line] = (await Promise.race([once(lines, 'line'), once(child, 'exit').then(() => ['{}'])])) as [string];
  const owner = { process: child as Owner['process'], stateDir, env: JSON.parse(line) as Record<string, string> };
  owners.push(owner);
  return owner;
}
async function newStateDir(): Promise<string> {
  return join(await mkdtemp(join(tmpdir(), 'sluice-owner-')), 'state');
}
function recordOf(owner: Owner): StackRecord {
  const record = readRecord(statePaths(owner.stateDir));
  if (record === null) throw new Error('no record');
  return record;
}
/** The watchdogs that the owner started. */
async function watchdogsOf(owner: Owner): Promise<number[]> {
  const found: number[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)) {
    const [stat, command] = await Promise.all(
      ['stat', 'cmdline'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')),
    );
    const parent = Number(stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    if (parent === owner.process.pid && command?.includes('watchdog.mjs') === true) found.push(pid);
  }
  return found;
}
const gone = (pids: number[]): Promise<unknown> =>
  vi.waitUntil(() => pids.every((pid) => startTimeOf(pid) === null), { timeout: 30_000 });

afterEach(async () => {
  for (const owner of owners.splice(0)) {
    if (owner.process.exitCode === null) owner.process.kill('SIGKILL');
    await down({ stateDir: owner.stateDir });
    await rm(join(owner.stateDir, '..'), { recursive: true, force: true });
  }
});

describe.runIf(process.platform === 'linux')('the servers of an owner', () => {
  it('end with it when it is killed, and the watchdog after them; the next start finds the data', async () => {
    const owner = await own(await newStateDir());
    const pids = recordOf(owner).processes.map(({ pid }) => pid);
    const watchdogs = await watchdogsOf(owner);
    expect(pids).toHaveLength(2);
    expect(watchdogs).toHaveLength(1);
    owner.process.kill('SIGKILL');
    await gone([...pids, ...watchdogs]);
    expect(await status({ stateDir: owner.stateDir })).toMatchObject({ running: false, state: null });
    expect(readStackEnv(owner.stateDir)).toBeNull();
    const again = await own(owner.stateDir);
    expect(again.env).toEqual(owner.env);
  });

  it('are ended by the next start when the watchdog was killed too', async () => {
    const owner = await own(await newStateDir());
    const { processes } = recordOf(owner);
    const [watchdog] = await watchdogsOf(owner);
    owner.process.kill('SIGSTOP'); // so that it cannot start another watchdog
    process.kill(watchdog as number, 'SIGKILL');
    owner.process.kill('SIGKILL');
    await gone([owner.process.pid]);
    expect(processes.every(isRunning)).toBe(true);
    const again = await own(owner.stateDir);
    expect(processes.some(isRunning)).toBe(false);
    expect(again.env).toEqual(owner.env);
  });

  it('end in order on SIGTERM, with exit code 0', async () => {
    const owner = await own(await newStateDir());
    const pids = recordOf(owner).processes.map(({ pid }) => pid);
    const watchdogs = await watchdogsOf(owner);
    owner.process.kill('SIGTERM');
    await once(owner.process, 'exit');
    expect(owner.process.exitCode).toBe(0);
    expect([...pids, ...watchdogs].map(startTimeOf)).toEqual([null, null, null]);
    expect(existsSync(statePaths(owner.stateDir).lock)).toBe(false);
  });

  it('are seen and stopped by `down` from another process; --purge removes the state', async () => {
    const owner = await own(await newStateDir());
    const { processes } = recordOf(owner);
    expect(await status({ stateDir: owner.stateDir })).toMatchObject({
      running: true,
      state: 'ready',
      pid: owner.process.pid,
    });
    expect(readStackEnv(owner.stateDir)).toEqual(owner.env);
    expect(await down({ stateDir: owner.stateDir, purge: true })).toEqual({ stopped: true, purged: true });
    expect(processes.some(isRunning)).toBe(false);
    expect(existsSync(owner.stateDir)).toBe(false);
    expect(await down({ stateDir: owner.stateDir, purge: true })).toEqual({ stopped: false, purged: false });
  });

  it('that cannot be kept alive end the whole stack, and the error names the part', async () => {
    const owner = await own(await newStateDir());
    const survivors = recordOf(owner)
      .processes.filter(({ name }) => name !== 's3')
      .map(({ pid }) => pid);
    const ended = once(owner.process, 'exit');
    let last = 0;
    await vi.waitUntil(
      () => {
        if (owner.process.exitCode !== null) return true;
        const pid = readRecord(statePaths(owner.stateDir))?.processes.find(({ name }) => name === 's3')?.pid ?? 0;
        if (pid !== 0 && pid !== last && startTimeOf(pid) !== null) process.kill((last = pid), 'SIGKILL');
        return false;
      },
      { timeout: 60_000 },
    );
    await ended;
    expect(owner.process.exitCode).toBe(1);
    await gone(survivors);
  });
});

describe('purging', () => {
  it('refuses a directory that is not a state directory', async () => {
    const directory = await newStateDir();
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, 'precious'), '');
    await expect(down({ stateDir: directory, purge: true })).rejects.toThrow(/is not a Sluice state directory/);
    expect(existsSync(join(directory, 'precious'))).toBe(true);
    await rm(join(directory, '..'), { recursive: true });
  });
});

describe('the helper for integration tests', () => {
  it('removes everything it made', async () => {
    const servers = await startTestStack(['s3']);
    await servers.stop();
    expect(existsSync(servers.stateDir)).toBe(false);
  });
});
