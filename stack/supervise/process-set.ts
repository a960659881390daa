import { identify, type ProcessIdentity } from './identity.mjs';
import { Supervised, type ProcessRegistry, type ProcessSpec } from './supervisor.js';
import { Watchdog } from './watchdog.js';
import { writeRecord, type StackRecord } from '../state/record.js';
import type { StatePaths } from '../state/paths.js';
import type { PartInfo, StackLog } from '../types.js';

/** In the order in which they may be needed; a stack stops them the other way round, one tier after the other. */
const TIERS = ['servers', 'dependent-servers', 'workers', 'scorers'] as const;
export type Tier = (typeof TIERS)[number];

/** Everything a stack runs: tells the watchdog and the state directory of every process, and stops them in order. */
export class ProcessSet implements ProcessRegistry {
  readonly #paths: StatePaths;
  readonly #log: StackLog;
  readonly #watchdog = new Watchdog();
  readonly #startedAt = new Date().toISOString();
  readonly #parts: { part: Supervised; tier: Tier }[] = [];
  readonly #external: PartInfo[] = [];
  readonly #processes = new Map<number, ProcessIdentity & { name: string }>();
  #state: StackRecord['state'] = 'starting';
  #open = false;
  /** called once a part is given up */
  onFailed: (error: Error) => void = () => {};

  constructor(paths: StatePaths, log: StackLog) {
    this.#paths = paths;
    this.#log = log;
  }

  /** From now on processes may be started; before this, nothing has been touched. */
  open(): void {
    this.#open = true;
    this.#watchdog.start();
    this.changed();
  }

  parts(): PartInfo[] {
    return [...this.#external, ...this.#parts.map(({ part }) => part.info())];
  }

  addExternal(name: string, address: string): void {
    this.#external.push({ name, address, pid: null, logFile: null, external: true, state: 'ready', restarts: 0 });
    this.#log({ part: name, phase: 'ready', message: `using your ${name} at ${address}` });
    this.changed();
  }

  /** Starts processes side by side and resolves when all of them serve. */
  async start(specs: ProcessSpec[], tier: Tier): Promise<void> {
    if (this.#state === 'stopping') throw new Error('the stack is being stopped');
    const added = specs.map((spec) => new Supervised(spec, this, this.#log, (error) => this.onFailed(error)));
    this.#parts.push(...added.map((part) => ({ part, tier })));
    await Promise.all(added.map((part) => part.start()));
  }

  /** The whole stack serves now; other commands that wait for it may go on. */
  markReady(): void {
    this.#state = 'ready';
    this.changed();
  }

  async stopAll(hurry: AbortSignal): Promise<void> {
    if (!this.#open) return;
    this.#state = 'stopping';
    this.changed();
    for (const tier of [...TIERS].reverse()) {
      await Promise.all(
        this.#parts
          .filter((one) => one.tier === tier)
          .map(async ({ part }) => {
            const { name } = part.info();
            this.#log({ part: name, phase: 'stopping', message: `stopping ${name}` });
            await part.stop(hurry);
            this.#log({ part: name, phase: 'stopped', message: `${name} stopped` });
          }),
      );
    }
    this.#open = false;
    await this.#watchdog.close();
  }

  started(name: string, identity: ProcessIdentity): void {
    this.#watchdog.add(identity);
    this.#processes.set(identity.pid, { ...identity, name });
    this.changed();
  }

  ended(_name: string, pid: number): void {
    this.#watchdog.remove(pid);
    this.#processes.delete(pid);
    this.changed();
  }

  changed(): void {
    if (!this.#open) return;
    const parent = identify(process.pid);
    if (parent === null) return;
    writeRecord(this.#paths, {
      state: this.#state,
      startedAt: this.#startedAt,
      parent,
      processes: [...this.#processes.values()],
      parts: this.parts(),
    });
  }
}
