import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startStack, type Part, type Stack } from '../../stack/index.js';
import { openDesk } from './desk.js';
import { testEnv } from './stack.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** where a test file asks for servers: see `useServers` */
    serversDesk: string;
  }
}

/** The servers that all test files of one run share. Each starts when the first file asks for it: a file that is run alone starts what it needs. */
class SharedServers {
  private readonly stacks = new Map<Part, Promise<Stack>>();

  private constructor(private readonly directory: string) {}

  static async open(): Promise<SharedServers> {
    return new SharedServers(await mkdtemp(join(tmpdir(), 'sluice-servers-')));
  }

  /** The variables of these parts, once they serve. */
  async env(parts: readonly Part[]): Promise<Record<string, string>> {
    const stacks = await Promise.all(parts.map((part) => this.part(part)));
    return Object.assign({}, ...stacks.map(({ env }) => env)) as Record<string, string>;
  }

  private part(part: Part): Promise<Stack> {
    const stack = this.stacks.get(part) ?? this.start(part);
    this.stacks.set(part, stack);
    return stack;
  }

  private async start(part: Part): Promise<Stack> {
    // MLflow keeps its artifacts in the S3 that the tests have too
    const needs = part === 'mlflow' ? (await this.part('s3')).env : {};
    const problems: string[] = [];
    try {
      return await startStack({
        stateDir: join(this.directory, part),
        parts: [part],
        env: { ...testEnv(), ...needs },
        log: ({ message, phase }) => void (phase === 'info' || phase === 'died' ? problems.push(message) : undefined),
      });
    } catch (error) {
      throw new Error([(error as Error).message, ...problems].join('\n'), { cause: error });
    }
  }

  async stop(): Promise<void> {
    const started = await Promise.allSettled(this.stacks.values());
    await Promise.all(started.map(async (one) => one.status === 'fulfilled' && (await one.value.stop())));
    await rm(this.directory, { recursive: true, force: true });
  }
}

/**
 * Vitest's global set-up of the integration layer: a desk at which test files, each a process of its own, ask for servers.
 * The servers are children of Vitest's own process, with the stack's watchdog beside each: they end with it, however it ends.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = await SharedServers.open();
  const desk = await openDesk((parts) => servers.env(parts.split(',') as Part[]));
  project.provide('serversDesk', desk.address);
  return async () => {
    desk.close();
    await servers.stop();
  };
}
