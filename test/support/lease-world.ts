import { pino } from 'pino';
import { vi } from 'vitest';
import type { ReplicaRecord, ReplicaRegistry, ReplicaState } from '../../stores/replica-registry.js';
import { createReplicaLease, type ReplicaLease } from '../../scoring/control/replica-lease.js';
import { createFakeReplicaRegistry } from './fake-replica-registry.js';
import { PendingCalls, type PendingCall } from './pending-calls.js';

export const LEASE_MS = 30_000;
export const RENEW_MS = 10_000;
const ID = 'replica-1';
/** The database's clock is another than the scorers'. */
const DATABASE_AHEAD_MS = 3_600_000;
const silent = pino({ level: 'silent' });

/** One process that uses the replica id. */
export interface Life {
  readonly instance: string;
  readonly lease: ReplicaLease;
  readonly calls: PendingCalls;
  /** what it serves now */
  generation: number;
  leaveAsked: boolean;
  left: boolean;
  /** stopped by force: nothing it asked for is answered any more */
  frozen: boolean;
  /** how often it was told that a lease was gained */
  told: number;
  /** when the lease that the database holds for it began; null when another process has the record */
  heldSinceMs: number | null;
  /** the highest generation that the registry has told it */
  newest: number;
  /** what the database said to its last renewal that was answered */
  lastRenewal: 'renewed' | 'lapsed' | 'taken' | null;
  lastEnd: { name: string; how: 'answer' | 'fail' } | null;
}

/** Processes that claim one replica id, and the database between them. Calls stay under way until a test ends them. */
export class LeaseWorld {
  readonly mistakes: string[] = [];
  readonly lives: Life[] = [];
  private readonly registry = createFakeReplicaRegistry(() => Date.now() + DATABASE_AHEAD_MS);

  /** Those that still run. */
  running(): Life[] {
    return this.lives.filter(({ left, frozen }) => !left && !frozen);
  }

  /** The instance whose lease is alive in the database; null: none. */
  holder(): string | null {
    const record = this.registry.records.get(ID);
    return record !== undefined && this.isAlive(record) ? record.instance : null;
  }

  startLife(generation: number): void {
    const instance = `instance-${this.lives.length}`;
    const calls = new PendingCalls(() => {
      if (calls.open.length > 1) this.wrong(`at once: ${calls.open.map(({ name }) => name).join(', ')}`);
      if (life.left) this.wrong('it goes on after it has left');
    });
    const state = (): ReplicaState => ({
      instance,
      model: 'tiny',
      environment: 'production',
      address: 'http://127.0.0.1:1',
      generation: life.generation,
      version: null,
      manifest_sha256: null,
    });
    const lease = createReplicaLease({
      registry: this.registryOf(() => life, calls),
      id: ID,
      state,
      leaseMs: LEASE_MS,
      renewMs: RENEW_MS,
      onGained: () => this.gained(life),
      log: silent,
    });
    const life: Life = {
      instance,
      lease,
      calls,
      generation,
      leaveAsked: false,
      left: false,
      frozen: false,
      told: 0,
      heldSinceMs: null,
      newest: 0,
      lastRenewal: null,
      lastEnd: null,
    };
    this.lives.push(life);
    lease.start();
  }

  /** Another replica reports a newer generation. */
  async otherLoads(): Promise<void> {
    const generation = (await this.registry.newestGeneration('tiny', 'production')) + 1;
    const state = { instance: 'other', model: 'tiny', environment: 'production', address: '', version: null };
    await this.registry.join('replica-2', { ...state, generation, manifest_sha256: null }, LEASE_MS);
  }

  load(life: Life): void {
    life.generation += 1;
    void life.lease.announce();
  }

  leave(life: Life): void {
    life.leaveAsked = true;
    void life.lease.leave().then(() => {
      life.left = true;
      const kept = this.registry.records.get(ID)?.instance === life.instance;
      if (kept && life.lastEnd?.how === 'answer') this.wrong('its record outlives it');
    });
  }

  end(life: Life, call: PendingCall, how: 'answer' | 'fail'): void {
    life.lastEnd = { name: call.name, how };
    call[how]();
  }

  /** Everything that was wrong so far, and what is wrong now. */
  check(): readonly string[] {
    for (const life of this.running()) this.checkLife(life);
    if (this.lives.every(({ left }) => left) && vi.getTimerCount() > 0) this.wrong('a timer outlives the last process');
    return this.mistakes;
  }

  private checkLife(life: Life): void {
    const status = life.lease.status();
    if (status.gained !== life.told) this.wrong(`${status.gained} leases gained, ${life.told} told`);
    const quiet = life.calls.open.length === 0 && life.lastEnd?.how === 'answer';
    if (quiet && (status.registry === 'taken') !== (life.lastRenewal === 'taken'))
      this.wrong(`it says ${status.registry} after ${life.lastRenewal}`);
    if (status.registry !== 'joined') return;
    const record = this.registry.records.get(ID);
    // Another process may have taken the id a moment ago: that it learns with its next renewal.
    if (record?.instance !== life.instance || life.heldSinceMs === null) return;
    if (record.lease_until.getTime() < Date.now() + DATABASE_AHEAD_MS)
      this.wrong('it believes in a lease that ran out');
    const joining = life.calls.open.some(({ name }) => name === 'join');
    if (!joining && (status.gainedAtMs ?? -1) < life.heldSinceMs)
      this.wrong('it does not know that its lease is a new one');
    if (quiet && record.generation !== life.generation)
      this.wrong(`it serves ${life.generation}, its record says ${record.generation}`);
  }

  private gained(life: Life): void {
    life.told += 1;
    if (life.lease.status().newestGeneration < life.newest)
      this.wrong(`it was told of ${life.newest} and knows of ${life.lease.status().newestGeneration}`);
  }

  private registryOf(life: () => Life, calls: PendingCalls): ReplicaRegistry {
    const { registry } = this;
    return {
      ...registry,
      newestGeneration: async (model, environment) => {
        const newest = await calls.begin('newest generation', () => registry.newestGeneration(model, environment));
        life().newest = Math.max(life().newest, newest);
        return newest;
      },
      join: (id, state, leaseMs) => {
        // Joining overwrites what the same replica reported in its former life.
        if (life().lastEnd?.name !== 'newest generation') this.wrong('it joins without a look at the registry');
        if (life().lastRenewal === 'taken') this.wrong('it joins though another process has the id');
        return calls.begin('join', () => {
          const held = registry.records.get(id);
          const isNew = held === undefined || !this.isAlive(held) || held.instance !== state.instance;
          for (const other of this.lives) if (other !== life()) other.heldSinceMs = null;
          if (isNew) life().heldSinceMs = Date.now();
          return registry.join(id, state, leaseMs);
        });
      },
      renew: async (id, state, leaseMs) => {
        const outcome = await calls.begin('renew', () => registry.renew(id, state, leaseMs));
        life().lastRenewal = outcome;
        return outcome;
      },
      leave: (id, instance) => calls.begin('leave', () => registry.leave(id, instance)),
    };
  }

  private isAlive({ lease_until }: ReplicaRecord): boolean {
    return lease_until.getTime() > Date.now() + DATABASE_AHEAD_MS;
  }

  private wrong(what: string): void {
    this.mistakes.push(what);
  }
}
