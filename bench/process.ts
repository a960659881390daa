import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { execa } from 'execa';
import { SluiceError } from '../platform/errors.js';

const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 15_000;
/** of the times in /proc, on every Linux that Node runs on */
const TICKS_PER_SECOND = 100;

export interface Pinned {
  /** what runs, on which core, with nothing else of this process's environment than PATH and HOME */
  name: string;
  core: string;
  command: string;
  args: string[];
  env?: Record<string, string>;
  cwd?: string;
  /** answers 200 when it is ready */
  readyUrl: string;
}

export interface RunningServer {
  pid: number;
  stop(): Promise<void>;
}

/** Starts a server on one core of its own, and waits until it is ready. */
export async function startPinned({ name, core, command, args, env, cwd, readyUrl }: Pinned): Promise<RunningServer> {
  const child = execa('taskset', ['-c', core, command, ...args], {
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
    extendEnv: false,
    ...(cwd === undefined ? {} : { cwd }),
    stdin: 'ignore',
    all: true,
    buffer: false,
    reject: false,
    forceKillAfterDelay: STOP_WITHIN_MS,
  });
  let said = '';
  child.all.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-4_000)));
  const ended = child.then(({ exitCode, signal }) => exitCode ?? signal ?? null);
  const stop = async (): Promise<void> => {
    child.kill('SIGTERM');
    await ended;
  };
  const giveUp = new AbortController();
  const died = ended.then((how) => {
    if (!giveUp.signal.aborted) throw new SluiceError('StackFailed', `${name} ended with ${how}:\n${said}`);
  });
  try {
    await Promise.race([died, untilReady(readyUrl, name, giveUp.signal)]);
  } catch (error) {
    await stop();
    throw error;
  } finally {
    giveUp.abort();
  }
  return { pid: child.pid as number, stop };
}

async function untilReady(url: string, name: string, signal: AbortSignal): Promise<void> {
  const giveUpMs = performance.now() + READY_WITHIN_MS;
  while (!signal.aborted) {
    const ok = await fetch(url).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return;
    if (performance.now() > giveUpMs) throw new SluiceError('StackFailed', `${name} is not ready after 60 s`);
    await delay(100);
  }
}

/** Megabytes (10^6) of memory that a process and all of its children have now, of what is resident. */
export async function residentMb(pid: number): Promise<number> {
  return sumOverTree(pid, async (one) => {
    const status = await readFile(`/proc/${one}/status`, 'utf8');
    return (Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024) / 1e6;
  });
}

/** Seconds of a core that a process and all of its children have used so far. */
export async function cpuSeconds(pid: number): Promise<number> {
  return sumOverTree(pid, async (one) => {
    const stat = await readFile(`/proc/${one}/stat`, 'utf8');
    // from the third field on: the second, the name, may hold anything
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  });
}

async function sumOverTree(pid: number, of: (pid: number) => Promise<number>): Promise<number> {
  let sum = await of(pid);
  for (const task of await readdir(`/proc/${pid}/task`)) {
    const children = await readFile(`/proc/${pid}/task/${task}/children`, 'utf8').catch(() => '');
    for (const child of children.split(' ').filter((text) => text !== '')) sum += await sumOverTree(Number(child), of);
  }
  return sum;
}

/**
 * From now on, until what is returned is called: the share of a server's cores that everybody else used, the kernel's own work included. On a
 * quiet machine it is next to nothing; latencies measured beside a neighbour are the neighbour's.
 */
export async function watchOthers(pid: number, cores: string): Promise<() => Promise<number>> {
  const busyOf = async (): Promise<{ busy: number; own: number; at: number }> => ({
    busy: await busySeconds(cpusOf(cores)),
    own: await cpuSeconds(pid),
    at: performance.now(),
  });
  const before = await busyOf();
  return async () => {
    const after = await busyOf();
    const seconds = ((after.at - before.at) / 1000) * cpusOf(cores).length;
    return Math.max(0, (after.busy - before.busy - (after.own - before.own)) / seconds);
  };
}

/** `0,2-3` → 0, 2, 3 */
function cpusOf(cores: string): number[] {
  return cores.split(',').flatMap((part) => {
    const [from = NaN, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
}

async function busySeconds(cpus: readonly number[]): Promise<number> {
  const stat = await readFile('/proc/stat', 'utf8');
  let ticks = 0;
  for (const cpu of cpus) {
    // user, nice, system, idle, iowait, irq, softirq, steal
    const times = (new RegExp(`^cpu${cpu} (.*)$`, 'm').exec(stat)?.[1] ?? '').split(' ').map(Number);
    for (const column of [0, 1, 2, 5, 6, 7]) ticks += times[column] ?? 0;
  }
  return ticks / TICKS_PER_SECOND;
}

/** Puts a process and all of its threads on one core. */
export async function pin(pid: number, core: string): Promise<void> {
  await execa('taskset', ['-a', '-c', '-p', core, String(pid)]);
}
