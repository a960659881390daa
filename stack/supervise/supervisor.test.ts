import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startTimeOf } from './identity.mjs';
import { readLog } from './log-file.js';
import { Supervised, type ProcessSpec } from './supervisor.js';

let directory: string;
let running: Supervised[];
const alive = new Set<number>();
const registry = {
  started: (_name: string, { pid }: { pid: number }) => void alive.add(pid),
  ended: (_name: string, pid: number) => void alive.delete(pid),
  changed: () => {},
};
const quickly = { maxDeaths: 5, windowMs: 60_000, firstBackoffMs: 1, longestBackoffMs: 5 };
const never = new AbortController().signal;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'supervisor-'));
  running = [];
});
afterEach(async () => {
  await Promise.all(running.map((part) => part.stop(AbortSignal.abort())));
  expect(alive.size).toBe(0);
  rmSync(directory, { recursive: true });
});

/** A Node process that runs `code`; ready once it has printed "ready". */
function supervise(code: string, changes: Partial<ProcessSpec> = {}) {
  const logFile = join(directory, 'part.log');
  const events: string[] = [];
  const failures: Error[] = [];
  const part = new Supervised(
    {
      name: 'part',
      command: process.execPath,
      args: ['-e', code],
      env: {},
      cwd: directory,
      logFile,
      address: 'nowhere',
      isReady: ({ logOffset }) => Promise.resolve(readLog(logFile, logOffset).includes('ready')),
      readyTimeoutMs: 10_000,
      stopGraceMs: 5_000,
      ...changes,
    },
    registry,
    ({ phase }) => void events.push(phase),
    (error) => void failures.push(error),
    quickly,
  );
  running.push(part);
  return { part, events, failures };
}

const SERVES = `console.log('ready'); setInterval(() => {}, 1000);`;

describe('a supervised process', () => {
  it('is started again when it is killed, and says so', async () => {
    const { part, events } = supervise(SERVES);
    await part.start();
    const first = part.info().pid as number;
    process.kill(first, 'SIGKILL');
    await vi.waitUntil(() => part.info().state === 'ready' && part.info().pid !== first);
    expect(part.info()).toMatchObject({ restarts: 1, state: 'ready' });
    expect(events).toEqual(['starting', 'ready', 'died', 'restarting', 'ready']);
    expect(startTimeOf(first)).toBeNull();
  });

  it('is given up after more than five deaths within a minute, with the end of its log', async () => {
    const { part } = supervise(`console.log('cannot open the database'); process.exit(3)`);
    await expect(part.start()).rejects.toThrow(
      /part ended 6 times within 60 s; see .*part\.log.*cannot open the database/s,
    );
  });

  it('that ends because the disk is full is told as that', async () => {
    const { part } = supervise(`console.log('WiredTiger: write: No space left on device'); process.exit(14)`);
    await expect(part.start()).rejects.toMatchObject({
      type: 'DiskFull',
      message: expect.stringMatching(/^No space is left on the disk: part ended 6 times/) as string,
    });
  });

  it('reports the failure of a part that had been ready', async () => {
    const { part, failures } = supervise(`console.log('ready'); setTimeout(() => process.exit(1), 150)`);
    await part.start();
    await vi.waitUntil(() => failures.length > 0, { timeout: 10_000 });
    expect(failures[0]?.message).toMatch(/part ended 6 times/);
  });

  it('fails at once when the executable is missing', async () => {
    const { part } = supervise('', { command: join(directory, 'absent') });
    await expect(part.start()).rejects.toThrow(/part cannot be started: .*absent is not there/);
  });

  it('counts not becoming ready in time as a death', async () => {
    const { part, events } = supervise(`setInterval(() => {}, 1000)`, { readyTimeoutMs: 100 });
    await expect(part.start()).rejects.toThrow(/ended 6 times/);
    expect(events.filter((phase) => phase === 'restarting')).toHaveLength(5);
  });

  it('is killed when it does not end in time, together with what it started', async () => {
    const { part } = supervise(
      `process.on('SIGTERM', () => {});
       const child = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
       console.log('child ' + child.pid + ' ready'); setInterval(() => {}, 1000);`,
      { stopGraceMs: 100 },
    );
    await part.start();
    const leader = part.info().pid as number;
    const child = Number(/child (\d+)/.exec(readLog(join(directory, 'part.log')))?.[1]);
    expect(startTimeOf(child)).not.toBeNull();
    await part.stop(never);
    expect(startTimeOf(leader)).toBeNull();
    await vi.waitUntil(() => startTimeOf(child) === null);
  });

  it('is stopped while it starts', async () => {
    const { part } = supervise(`setInterval(() => {}, 1000)`);
    const started = part.start();
    const outcome = expect(started).rejects.toThrow(/stopped while it started/);
    await part.stop(never);
    await outcome;
  });
});
