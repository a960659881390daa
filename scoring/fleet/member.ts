import cluster, { type Worker } from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { createBirpc, type BirpcReturn } from 'birpc';
import type { Logger } from 'pino';
import { SluiceError } from '../../platform/errors.js';
import type { ControlCalls, ProcessCalls } from './messages.js';

/** One serving process, for as long as it lives. */
export interface Member {
  readonly calls: BirpcReturn<ProcessCalls, ControlCalls>;
  /** resolves when the process is gone, however that came */
  readonly ended: Promise<void>;
  kill(): void;
}

/** Orders that take longer have met a process that hangs: it is replaced. */
const CALL_TIMEOUT_MS = 30_000;
const START_TIMEOUT_MS = 30_000;

/**
 * Starts a serving process and waits until it can be called.
 * @throws SluiceError Unreachable when it ends before
 */
export async function startMember(answers: Omit<ControlCalls, 'started'>, log: Logger): Promise<Member> {
  // Each process takes connections itself: handed out from here, one on its way to a process that dies would hang for ever.
  cluster.schedulingPolicy = cluster.SCHED_NONE;
  cluster.setupPrimary({ exec: fileURLToPath(new URL('./main.js', import.meta.url)), serialization: 'advanced' });
  const worker: Worker = cluster.fork();
  const ended = new Promise<void>((resolve) => worker.once('exit', () => resolve()));
  let onStarted = (): void => undefined;
  const started = new Promise<void>((resolve) => (onStarted = resolve));
  const calls = createBirpc<ProcessCalls, ControlCalls>(
    { ...answers, started: () => onStarted() },
    {
      // A process that has just ended takes no message; who waits for its answer learns it from `ended`.
      post: (message: object) => void (worker.isConnected() && worker.send(message, () => undefined)),
      on: (listener) => void worker.on('message', listener),
      timeout: CALL_TIMEOUT_MS,
      onTimeoutError(call) {
        log.error({ process: worker.process.pid, call }, 'a serving process does not answer; it is ended');
        worker.process.kill('SIGKILL');
      },
    },
  );
  void ended.then(() => calls.$close(new SluiceError('Unreachable', 'the serving process ended')));
  const late = setTimeout(() => worker.process.kill('SIGKILL'), START_TIMEOUT_MS);
  const isUp = await Promise.race([started.then(() => true), ended.then(() => false)]);
  clearTimeout(late);
  if (!isUp) throw new SluiceError('Unreachable', 'a serving process ended while it started');
  log.debug({ process: worker.process.pid }, 'serving process is up');
  return { calls, ended, kill: () => void worker.process.kill('SIGKILL') };
}
