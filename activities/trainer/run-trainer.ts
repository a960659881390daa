import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa, ExecaError } from 'execa';
import type { Logger } from 'pino';
import { SluiceError } from '../../platform/errors.js';
import { runtimeEnv } from './child-env.js';
import { parseAnswer, parseEvent, type Progress } from './events.js';
import type { TrainerAnswer, TrainerJob } from './job.js';
import { redact } from './redact.js';

export interface RunTrainerDeps {
  /** the interpreter that has the locked packages */
  python: string;
  /** absolute path of `training/` */
  trainingDir: string;
  /** what the child inherits (see `trainerEnv`); nothing else of this process's environment reaches it */
  env: Readonly<Record<string, string>>;
  log: Pick<Logger, 'debug' | 'warn'>;
}

export interface RunTrainerOptions {
  /** aborts: SIGTERM, then SIGKILL for a child that does not end */
  signal: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

// The trainer takes up to four of them to tell MLflow that its run was killed.
const KILL_AFTER_MS = 6_000;
const STDERR_TAIL_CHARACTERS = 2_000;
const STDERR_LIMIT_CHARACTERS = 200_000;

/**
 * Runs one job in a Python child and returns its answer.
 * The child's stdin stays open and empty: when this process dies, the child reads its end there and ends too.
 * @throws the signal's reason when aborted; SluiceError as the trainer reported it, or TrainingFailed with the end of its stderr
 */
export async function runTrainer<J extends TrainerJob>(
  deps: RunTrainerDeps,
  job: J,
  { signal, onProgress }: RunTrainerOptions,
): Promise<TrainerAnswer<J>> {
  signal.throwIfAborted();
  const scratch = await mkdtemp(join(tmpdir(), 'sluice-trainer-'));
  try {
    const jobFile = join(scratch, 'job.json');
    await writeFile(jobFile, JSON.stringify(job));
    const child = execa(deps.python, ['-m', 'sluice_trainer', jobFile], {
      cwd: scratch,
      env: { ...deps.env, ...runtimeEnv(deps.trainingDir, scratch) },
      extendEnv: false,
      stdin: 'pipe',
      lines: { stdout: true },
      buffer: { stdout: false },
      maxBuffer: { stderr: STDERR_LIMIT_CHARACTERS },
      cancelSignal: signal,
      forceKillAfterDelay: KILL_AFTER_MS,
    });
    return await readAnswer(deps, job, child, onProgress);
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    throw asSluiceError(deps, error);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

type Child = AsyncIterable<string> & PromiseLike<{ stderr: string }> & { kill: () => boolean };

async function readAnswer<J extends TrainerJob>(
  deps: RunTrainerDeps,
  job: J,
  child: Child,
  onProgress: RunTrainerOptions['onProgress'],
): Promise<TrainerAnswer<J>> {
  let answer: TrainerAnswer<J> | undefined;
  let failure: Error | undefined;
  const handle = (line: string): void => {
    const event = parseEvent(line);
    if (event.event === 'progress') {
      onProgress?.({ stage: event.stage, fraction: event.fraction, message: event.message });
    } else if (event.event === 'error') {
      failure = new SluiceError(event.type, redact(event.message, deps.env));
    } else {
      answer = parseAnswer(job, event);
    }
  };
  const read = async (): Promise<void> => {
    for await (const line of child) {
      try {
        if (failure === undefined) handle(line);
      } catch (error) {
        // Not thrown from here: leaving the loop would wait for the child, which may have hours to go.
        failure = error as Error;
        child.kill();
      }
    }
  };
  // Both are waited for in every case: no child outlives its call.
  const [lines, exit] = await Promise.allSettled([read(), child]);
  if (failure !== undefined) throw failure;
  if (exit.status === 'rejected') throw exit.reason as Error;
  if (lines.status === 'rejected') throw lines.reason as Error;
  deps.log.debug(
    {
      command: job.command,
      stderr: redact(exit.value.stderr, deps.env).slice(-STDERR_TAIL_CHARACTERS),
    },
    'trainer ended',
  );
  if (answer === undefined) throw new SluiceError('TrainingFailed', 'The trainer ended without an answer.');
  return answer;
}

function asSluiceError(deps: RunTrainerDeps, error: unknown): unknown {
  if (!(error instanceof ExecaError)) return error;
  if (error.code === 'ENOENT' || error.code === 'EACCES') {
    return new SluiceError(
      'PythonPackageMissing',
      `Python cannot be started: ${deps.python} (${error.code}). Run \`npm start\`, which installs it, or set SLUICE_PYTHON to an interpreter with the packages of training/requirements.lock.`,
    );
  }
  const ended = error.signal === undefined ? `exit code ${String(error.exitCode)}` : `signal ${error.signal}`;
  const memory = error.signal === 'SIGKILL' ? ' The system may have run out of memory.' : '';
  const tail = redact(String(error.stderr ?? ''), deps.env).slice(-STDERR_TAIL_CHARACTERS);
  deps.log.warn({ ended, stderr: tail }, 'trainer ended without an answer');
  return new SluiceError('TrainingFailed', `The trainer ended with ${ended}.${memory} The end of its output:\n${tail}`);
}
