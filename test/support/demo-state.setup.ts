import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { Cli } from './cli.js';
import { openDesk } from './desk.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** where a test file asks for a directory in which `sluice start --once` was run: see `startDemoStack` */
    demoDesk: string;
  }
}

/**
 * Vitest's global set-up of the system layer: the demo's data and its first release are made once, by the command and in this run,
 * when the first file asks; every file starts its stack on a copy.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-demo-state-'));
  let made: Promise<{ directory: string }> | undefined;
  const desk = await openDesk(() => (made ??= make(directory)));
  project.provide('demoDesk', desk.address);
  return async () => {
    desk.close();
    await made?.catch(() => {});
    await rm(directory, { recursive: true, force: true });
  };
}

async function make(directory: string): Promise<{ directory: string }> {
  const { exitCode, stdout, stderr } = await new Cli(directory).run('start', '--once');
  if (exitCode !== 0) throw new Error(`sluice start --once ended with ${exitCode}:\n${stdout}\n${stderr}`);
  // the copies run side by side, so each finds ports of its own
  await rm(join(directory, '.sluice', 'ports.json'));
  return { directory };
}
