import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings, type Settings } from '../platform/config.js';
import { projectPath } from '../platform/project.js';
import { startStack, type Part, type Stack } from '../stack/index.js';
import type { InstallContext } from '../stack/install/context.js';
import { ensureLockedPython } from '../stack/install/python.js';
import { quietRuntime } from './data/worker.js';

/** Progress goes to standard error: standard output has the figures. */
export const say = (message: string): void => void process.stderr.write(`${message}\n`);

export const context: Pick<InstallContext, 'env' | 'log'> = { env: process.env, log: ({ message }) => say(message) };

/** The Python that the peers run on, with their locked packages. */
export function peersPython(): Promise<string> {
  return ensureLockedPython(context, {
    lock: projectPath('bench', 'requirements.lock'),
    title: "the benchmark's Python packages",
    estimate: '400 MB on disk, a minute from PyPI, once per user',
  });
}

export interface BenchServers {
  stack: Stack;
  settings: Settings;
  /** also for what is written between runs; removed by `stop` */
  stateDir: string;
  stop(): Promise<void>;
}

/** MongoDB, S3 and Temporal of the benchmark's own in a new folder, whatever the user's settings name. */
export async function startServers(): Promise<BenchServers> {
  say('starting MongoDB, S3 and Temporal');
  const servers = await startOwn(['mongo', 's3', 'temporal']);
  quietRuntime();
  return {
    ...servers,
    settings: loadSettings({ MLFLOW_TRACKING_URI: 'http://127.0.0.1:9', ...servers.stack.env }),
  };
}

/** A MongoDB of the benchmark's own. */
export async function startMongo(): Promise<{ uri: string; pid: number | null; stop(): Promise<void> }> {
  say('starting MongoDB');
  const { stack, stop } = await startOwn(['mongo']);
  const pid = stack.parts().find(({ name }) => name === 'mongo')?.pid ?? null;
  return { uri: stack.env['MONGODB_URI'] ?? '', pid, stop };
}

async function startOwn(parts: readonly Part[]): Promise<Omit<BenchServers, 'settings'>> {
  const stateDir = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  const own = ['MONGODB_URI', 'S3_ENDPOINT', 'S3_BUCKET', 'TEMPORAL_ADDRESS'];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.includes(name)));
  const stack = await startStack({ stateDir, parts, env });
  return {
    stack,
    stateDir,
    async stop() {
      await stack.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
