import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { saysDiskIsFull, SluiceError } from '../../platform/errors.js';
import type { PartInfo, StackLog } from '../types.js';
import { identify, signalGroup, type ProcessIdentity } from './identity.mjs';
import { openLog, tailLog } from './log-file.js';

/** How one process is started and known to serve. */
export interface ProcessSpec {
  name: string;
  command: string;
  args: string[];
  /** the whole environment of the process; nothing is inherited */
  env: Record<string, string>;
  cwd: string;
  logFile: string;
  address: string;
  /** Whether it serves now; asked again and again. `logOffset`: where the output of this run begins in the log. It may prepare what needs preparing once. */
  isReady: (run: { logOffset: number }) => Promise<boolean>;
  readyTimeoutMs: number;
  /** what it may take to end when asked to, before it is killed */
  stopGraceMs: number;
  /** what the user can do, when the end of the log shows a known problem */
  advise?: (logTail: string) => string | undefined;
}

/** Who wants to know of every pid: the watchdog and the record in the state directory. */
export interface ProcessRegistry {
  started(name: string, identity: ProcessIdentity): void;
  ended(name: string, pid: number): void;
  changed(): void;
}

/** When a part is given up, and how long to wait before it is started again: twice as long after each death, up to the longest. */
export interface RestartPolicy {
  maxDeaths: number;
  windowMs: number;
  firstBackoffMs: number;
  longestBackoffMs: number;
}
const RESTARTS: RestartPolicy = { maxDeaths: 5, windowMs: 60_000, firstBackoffMs: 200, longestBackoffMs: 5_000 };
const PROBE_EVERY_MS = 100;

/**
 * Keeps one process running: starts it, waits until it serves, and starts it again, at the same address, when it dies.
 * More than five deaths within a minute are a failure, which names the part and shows the end of its log.
 */
export class Supervised {
  readonly #spec: ProcessSpec;
  readonly #registry: ProcessRegistry;
  readonly #log: StackLog;
  readonly #onFailed: (error: Error) => void;
  readonly #policy: RestartPolicy;
  #state: PartInfo['state'] = 'starting';
  #child: ChildProcess | undefined;
  #identity: ProcessIdentity | undefined;
  #logOffset = 0;
  #deaths: number[] = [];
  #restarts = 0;
  #stopping = false;
  #exited: Promise<void> = Promise.resolve();
  readonly #stopSignal = new AbortController();

  constructor(
    spec: ProcessSpec,
    registry: ProcessRegistry,
    log: StackLog,
    onFailed: (error: Error) => void,
    restarts: RestartPolicy = RESTARTS,
  ) {
    this.#policy = restarts;
    this.#spec = spec;
    this.#registry = registry;
    this.#log = log;
    this.#onFailed = onFailed;
  }

  info(): PartInfo {
    const { name, address, logFile } = this.#spec;
    return {
      name,
      address,
      logFile,
      pid: this.#identity?.pid ?? null,
      external: false,
      state: this.#state,
      restarts: this.#restarts,
    };
  }

  /** Starts the process and resolves when it serves; a process that dies on the way is started again, within the same limit. */
  async start(): Promise<void> {
    const startedMs = Date.now();
    this.#log({ part: this.#spec.name, phase: 'starting', message: `starting ${this.#spec.name}` });
    await this.#startUntilReady();
    if (this.#stopping) throw new SluiceError('StackFailed', `${this.#spec.name} was stopped while it started`);
    this.#log({
      part: this.#spec.name,
      phase: 'ready',
      message: `${this.#spec.name} is ready after ${((Date.now() - startedMs) / 1000).toFixed(1)} s${at(this.#spec.address)}`,
    });
  }

  /** Asks the process to end, waits for it, and kills what is left of its group. */
  async stop(hurry: AbortSignal): Promise<void> {
    this.#stopping = true;
    this.#stopSignal.abort();
    const identity = this.#identity;
    if (identity !== undefined) {
      this.#child?.kill('SIGTERM'); // the leader only: a worker ends its own children in order
      await Promise.race([
        this.#exited,
        delay(this.#spec.stopGraceMs, undefined, { signal: hurry, ref: false }).catch(() => {}),
      ]);
      signalGroup(identity, 'SIGKILL');
      await this.#exited;
    }
    this.#setState('stopped');
  }

  async #startUntilReady(): Promise<void> {
    while (!this.#stopping) {
      this.#spawn();
      if (await this.#becameReady()) {
        this.#setState('ready');
        return;
      }
      await this.#afterDeath();
    }
  }

  #spawn(): void {
    const { command, args, env, cwd, logFile, name } = this.#spec;
    const { fd, offset } = openLog(logFile);
    this.#logOffset = offset;
    let child: ChildProcess;
    try {
      // its own group: Ctrl-C in the terminal reaches only the parent, which stops the parts in order
      child = spawn(command, args, { cwd, env, stdio: ['ignore', fd, fd], detached: true });
    } finally {
      closeSync(fd);
    }
    this.#child = child;
    const identity = child.pid === undefined ? null : identify(child.pid);
    if (identity !== null) {
      this.#identity = identity;
      this.#registry.started(name, identity);
    }
    this.#exited = new Promise((resolve) => {
      let over = false;
      const finish = (message: string): void => {
        if (over) return;
        over = true;
        if (identity !== null) {
          signalGroup(identity, 'SIGKILL'); // whatever it had started and not ended
          this.#registry.ended(name, identity.pid);
        }
        this.#identity = undefined;
        if (!this.#stopping) this.#log({ part: name, phase: 'died', message });
        const wasReady = this.#state === 'ready';
        resolve();
        if (wasReady && !this.#stopping) void this.#revive();
      };
      child.once('error', (error) => finish(`${name} could not be started: ${error.message}`));
      child.once('exit', (code, signal) =>
        finish(`${name} ended unexpectedly (${signal ?? `exit code ${code ?? '?'}`})`),
      );
    });
  }

  /** Waits until the process serves; false when it died or did not serve in time (then it is ended). */
  async #becameReady(): Promise<boolean> {
    const run = { ended: false };
    const exited = this.#exited.then(() => {
      run.ended = true;
    });
    const deadline = Date.now() + this.#spec.readyTimeoutMs;
    while (!run.ended && !this.#stopping) {
      const ready = await Promise.race([
        this.#spec.isReady({ logOffset: this.#logOffset }).catch(() => false),
        exited.then(() => false),
      ]);
      if (ready && !run.ended) return true;
      if (Date.now() > deadline) {
        this.#log({
          part: this.#spec.name,
          phase: 'died',
          message: `${this.#spec.name} did not answer within ${this.#spec.readyTimeoutMs / 1000} s; ending it`,
        });
        if (this.#identity !== undefined) signalGroup(this.#identity, 'SIGKILL');
        break;
      }
      await Promise.race([delay(PROBE_EVERY_MS), exited]);
    }
    if (!this.#stopping) await exited;
    return false;
  }

  async #revive(): Promise<void> {
    try {
      await this.#afterDeath();
      await this.#startUntilReady();
      if (!this.#stopping)
        this.#log({
          part: this.#spec.name,
          phase: 'ready',
          message: `${this.#spec.name} is back${at(this.#spec.address)}`,
        });
    } catch (error) {
      this.#onFailed(error as Error);
    }
  }

  /** Counts the death, gives up when there were too many, and otherwise waits a little longer after each. */
  async #afterDeath(): Promise<void> {
    if (this.#stopping) return;
    const now = Date.now();
    const { maxDeaths, windowMs, firstBackoffMs, longestBackoffMs } = this.#policy;
    this.#deaths = [...this.#deaths.filter((time) => now - time < windowMs), now];
    const { name, logFile, command } = this.#spec;
    if (this.#child?.pid === undefined) {
      throw new SluiceError('StackFailed', `${name} cannot be started: ${command} is not there or cannot be run`);
    }
    if (this.#deaths.length > maxDeaths) {
      const tail = tailLog(logFile, this.#logOffset);
      const advice = this.#spec.advise?.(tail);
      const full = saysDiskIsFull(tail);
      throw new SluiceError(
        full ? 'DiskFull' : 'StackFailed',
        `${full ? 'No space is left on the disk: ' : ''}${name} ended ${this.#deaths.length} times within ${windowMs / 1000} s; see ${logFile}. Its last lines:\n${tail}${advice === undefined ? '' : `\n${advice}`}`,
      );
    }
    this.#restarts += 1;
    this.#setState('restarting');
    this.#log({ part: name, phase: 'restarting', message: `starting ${name} again` });
    await delay(Math.min(firstBackoffMs * 2 ** (this.#deaths.length - 1), longestBackoffMs), undefined, {
      signal: this.#stopSignal.signal,
    }).catch(() => {});
  }

  #setState(state: PartInfo['state']): void {
    this.#state = state;
    this.#registry.changed();
  }
}

function at(address: string): string {
  return address === '' ? '' : ` at ${address}`;
}
