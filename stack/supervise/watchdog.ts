import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProcessIdentity } from './identity.mjs';

/**
 * The parent's end of `watchdog.mjs`. The list of what is to be ended is kept here too, so that a watchdog that dies itself
 * is replaced by one that knows everything.
 */
export class Watchdog {
  readonly #watched = new Map<number, ProcessIdentity>();
  #child: ChildProcess | undefined;
  #closing = false;

  start(): void {
    const child = spawn(process.execPath, [fileURLToPath(new URL('./watchdog.mjs', import.meta.url))], {
      stdio: ['pipe', 'ignore', 'ignore'],
      // its own session: a terminal that closes or interrupts its foreground group does not reach it
      detached: true,
      env: {},
    });
    child.unref();
    child.stdin.on('error', () => {}); // it died: the exit event follows and starts another
    child.once('exit', () => {
      if (!this.#closing) this.start();
    });
    this.#child = child;
    for (const identity of this.#watched.values()) this.#send({ add: identity });
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  add(identity: ProcessIdentity): void {
    this.#watched.set(identity.pid, identity);
    this.#send({ add: identity });
  }

  remove(pid: number): void {
    this.#watched.delete(pid);
    this.#send({ remove: pid });
  }

  /** Ends the watchdog; what is still on its list ends with it. */
  async close(): Promise<void> {
    this.#closing = true;
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.ref();
    const exited = once(child, 'exit');
    child.stdin?.end();
    await exited;
  }

  #send(message: object): void {
    this.#child?.stdin?.write(JSON.stringify(message) + '\n');
  }
}
