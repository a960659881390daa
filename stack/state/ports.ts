import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import writeFileAtomic from 'write-file-atomic';

// Below the range that systems take outgoing connections' ports from (32768 up on Linux, 49152 up elsewhere):
// otherwise a server that died could find its port taken by somebody's client connection when it is started again.
const LOWEST = 20_000;
const HIGHEST = 32_000;

/** Whether a server could listen on this port of 127.0.0.1 now. */
export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}

async function freePort(taken: ReadonlySet<number>): Promise<number> {
  for (;;) {
    const port = randomInt(LOWEST, HIGHEST);
    if (!taken.has(port) && (await isFree(port))) return port;
  }
}

function savedPorts(file: string): Record<string, number> {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
  } catch {
    return {};
  }
}

/**
 * A port for each name: the one it had last time where that is free, so that addresses stay the same across restarts, another one otherwise.
 * @param file where they are remembered
 * @param moved is told of each that had to change: whoever knows the former address has to be told
 */
export async function assignPorts(
  file: string,
  names: readonly string[],
  moved: (name: string, from: number, to: number) => void = () => {},
): Promise<Record<string, number>> {
  const saved = savedPorts(file);
  const assigned: Record<string, number> = {};
  for (const name of names) {
    const last = saved[name];
    const taken = new Set([...Object.values(saved), ...Object.values(assigned)]);
    const port = last !== undefined && (await isFree(last)) ? last : await freePort(taken);
    if (last !== undefined && port !== last) moved(name, last, port);
    assigned[name] = port;
  }
  await writeFileAtomic(file, JSON.stringify({ ...saved, ...assigned }, null, 2) + '\n');
  return assigned;
}
