import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, inject, vi } from 'vitest';
import { openSession, type Session } from '../../client/session.js';
import { loadSettings, type Settings } from '../../platform/config.js';
import { mongoOf, objectStoreOf } from '../../platform/connect.js';
import type { Mongo } from '../../platform/mongo.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { projectPath } from '../../platform/project.js';
import { readStackEnv, status } from '../../stack/status.js';
import { Cli } from './cli.js';
import { askDesk } from './desk.js';

/** A whole stack with the demo's live model, as `npm start` makes it and finds it again, in a directory of its own. */
export interface DemoStack {
  directory: string;
  stateDir: string;
  cli: Cli;
  env: Record<string, string>;
  settings: Settings;
  session: Session;
  mongo: Mongo;
  store: ObjectStore;
  pidOf(part: string): Promise<number>;
  /** `kill -9`, and waits until the stack has seen it: whoever is killed next under this name is its successor. */
  kill(part: string): Promise<void>;
  stop(): Promise<void>;
}

const SEEN_WITHIN_MS = 60_000;

/** @param options.ownModels the stack works on a copy of `models/` in its directory, which the test may edit */
export async function startDemoStack({ ownModels = false } = {}): Promise<DemoStack> {
  const prepared = await askDesk<{ directory: string }>(inject('demoDesk'), 'state');
  const directory = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
  // with extended attributes, in which the S3 server keeps its metadata
  await execa('cp', ['-a', `${prepared.directory}/.`, directory]);
  const stateDir = join(directory, '.sluice');
  const models = join(directory, 'models');
  if (ownModels) await cp(projectPath('models'), models, { recursive: true });
  const cli = new Cli(directory, ownModels ? { SLUICE_MODELS_DIR: models } : {});
  const stack = cli.start('start');
  const closing: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const close of closing) await close();
    stack.kill('SIGTERM');
    await stack;
    await rm(directory, { recursive: true, force: true });
  };
  try {
    let said = '';
    stack.all.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await Promise.race([
      vi.waitUntil(() => said.includes('Ctrl-C stops the stack'), { timeout: 800_000, interval: 500 }),
      stack.then(() => expect.fail(`npm start ended early:\n${said}`)),
    ]);
    const env = readStackEnv(stateDir) as Record<string, string>;
    const settings = loadSettings(env);
    const session = await openSession(settings);
    closing.push(() => session.close());
    const mongo = await mongoOf(settings, 'test');
    closing.push(() => mongo.close());
    const store = objectStoreOf(settings);
    closing.push(() => store.close());

    const livingPid = async (part: string): Promise<number | null> =>
      (await status({ stateDir })).parts.find(({ name }) => name === part)?.pid ?? null;
    const pidOf = (part: string): Promise<number> =>
      vi.waitUntil(() => livingPid(part), { timeout: SEEN_WITHIN_MS, interval: 10 });
    const kill = async (part: string): Promise<void> => {
      const pid = await pidOf(part);
      process.kill(pid, 'SIGKILL');
      await vi.waitUntil(async () => (await livingPid(part)) !== pid, { timeout: SEEN_WITHIN_MS, interval: 10 });
    };
    return { directory, stateDir, cli, env, settings, session, mongo, store, pidOf, kill, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
