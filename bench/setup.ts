import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadSettings, type Settings } from '../platform/config.js';
import { projectPath } from '../platform/project.js';
import { startStack, type Stack } from '../stack/index.js';
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
  const stateDir = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
  say('starting MongoDB, S3 and Temporal');
  const own = ['MONGODB_URI', 'S3_ENDPOINT', 'S3_BUCKET', 'TEMPORAL_ADDRESS'];
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !own.includes(name)));
  const stack = await startStack({ stateDir, parts: ['mongo', 's3', 'temporal'], env });
  quietRuntime();
  return {
    stack,
    stateDir,
    settings: loadSettings({ MLFLOW_TRACKING_URI: 'http://127.0.0.1:9', ...stack.env }),
    async stop() {
      await stack.stop();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
