import { execa, type ExecaError } from 'execa';
import { SluiceError } from '../../platform/errors.js';
import { identify, signalGroup } from '../supervise/identity.mjs';
import type { InstallContext } from './context.js';

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** how the step is called in progress and errors, for example "building Temporal CLI 1.5.1 with Go" */
  title: string;
  /** part that the progress belongs to */
  part: string;
  /** what it usually takes, in words; shown at the start and while it goes on */
  estimate?: string;
}

const REMIND_EVERY_MS = 15_000;

/** Runs an installer's step, says now and then that it goes on, and ends it when the install is cancelled. Returns its standard output. */
export async function run(
  context: InstallContext,
  command: string,
  args: string[],
  options: RunOptions,
): Promise<string> {
  const { title, part, estimate } = options;
  const expected = estimate === undefined ? '' : ` (${estimate})`;
  context.log({ part, phase: 'installing', message: `${title}${expected}` });
  const startedMs = Date.now();
  const reminder = setInterval(() => {
    context.log({
      part,
      phase: 'installing',
      message: `${title}: ${Math.round((Date.now() - startedMs) / 1000)} s so far${expected}`,
    });
  }, REMIND_EVERY_MS);
  const subprocess = execa(command, args, {
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    env: { ...context.env, ...options.env },
    extendEnv: false,
    stdin: 'ignore',
    // its own group, which ends as a whole: `go install` runs a compiler per core
    detached: true,
  });
  const identity = subprocess.pid === undefined ? null : identify(subprocess.pid);
  const cancel = (): void => {
    if (identity !== null) signalGroup(identity, 'SIGTERM');
  };
  if (identity !== null) context.processes?.started(title, identity);
  context.signal?.addEventListener('abort', cancel);
  try {
    return (await subprocess).stdout;
  } catch (error) {
    context.signal?.throwIfAborted();
    const { stderr, shortMessage } = error as ExecaError<{ encoding: 'utf8' }>;
    const tail = (stderr ?? '').trim().split('\n').slice(-8).join('\n');
    throw new SluiceError(
      'ToolMissing',
      `${title} failed: ${shortMessage}${tail === '' ? '' : `\n${tail}`}`,
      undefined,
      { cause: error },
    );
  } finally {
    clearInterval(reminder);
    context.signal?.removeEventListener('abort', cancel);
    if (identity !== null) context.processes?.ended(title, identity.pid);
  }
}

/** The output of `command --version`-like calls, or null when it cannot be run. */
export async function versionOf(command: string, args: string[], env: NodeJS.ProcessEnv): Promise<string | null> {
  try {
    const { all } = await execa(command, args, { env, extendEnv: false, stdin: 'ignore', all: true, timeout: 20_000 });
    return all;
  } catch {
    return null;
  }
}
