import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { endProcesses, identify, startTimeOf } from './identity.mjs';
import { Watchdog } from './watchdog.js';

const children: ChildProcess[] = [];
function idle(code = ''): ChildProcess & { pid: number } {
  const child = spawn(process.execPath, ['-e', `${code}; setInterval(() => {}, 1000)`], {
    detached: true,
    stdio: 'ignore',
  });
  children.push(child);
  return child as ChildProcess & { pid: number };
}
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
});

describe('the watchdog', () => {
  it('ends exactly what is on its list when its input ends, and then itself', async () => {
    const watchdog = spawn(process.execPath, [fileURLToPath(new URL('./watchdog.mjs', import.meta.url))], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    children.push(watchdog);
    const [watched, removed, stranger] = [idle(), idle(), idle()];
    const add = (child: { pid: number }) => watchdog.stdin.write(JSON.stringify({ add: identify(child.pid) }) + '\n');
    add(watched);
    add(removed);
    watchdog.stdin.write(JSON.stringify({ remove: removed.pid }) + '\n');
    watchdog.stdin.end();
    const [code] = (await once(watchdog, 'exit')) as [number];
    expect(code).toBe(0);
    expect(startTimeOf(watched.pid)).toBeNull();
    expect(startTimeOf(removed.pid)).not.toBeNull();
    expect(startTimeOf(stranger.pid)).not.toBeNull();
  });

  it('is replaced when it is killed, and the new one knows the list', async () => {
    const watchdog = new Watchdog();
    watchdog.start();
    const watched = idle();
    const identity = identify(watched.pid);
    if (identity === null) throw new Error('the child has no identity');
    watchdog.add(identity);
    const first = watchdog.pid as number;
    process.kill(first, 'SIGKILL');
    await vi.waitUntil(() => watchdog.pid !== first);
    await watchdog.close();
    expect(startTimeOf(watched.pid)).toBeNull();
  });
});

describe('ending processes', () => {
  it('leaves alone a process that has only the pid of the one that was meant', async () => {
    const child = idle();
    await endProcesses([{ pid: child.pid, startedAt: 'another time' }], 1_000);
    expect(startTimeOf(child.pid)).not.toBeNull();
  });

  it('kills what does not listen', async () => {
    const child = idle(`process.on('SIGTERM', () => {})`);
    const identity = identify(child.pid);
    if (identity === null) throw new Error('the child has no identity');
    await endProcesses([identity], 200);
    expect(startTimeOf(child.pid)).toBeNull();
  });
});
