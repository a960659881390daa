import { pino } from 'pino';
import { vi } from 'vitest';
import type { LoadedBundle } from '../../domain/bundle/load.js';
import type { Pointer } from '../../schemas/types.js';
import type { SignedPointer, Trust } from '../../scoring/control/bundle-source.js';
import { createPointerFollower, type PointerFollower } from '../../scoring/control/pointer-follower.js';
import type { FetchedBundle, ServingOrders, SetOrder } from '../../scoring/traffic/orders.js';
import { PendingCalls, settle, type PendingCall } from './pending-calls.js';

export const POLL_MS = 20_000;
const silent = pino({ level: 'silent' });

/** What the store offers: the newest pointer, or something that a follower must not go back to. */
export type Offer = 'newest' | 'older' | 'forged' | 'gone';

/** One life of a scorer's process: its follower, and what became of it. */
interface Life {
  readonly follower: PointerFollower;
  /** the set that was prepared and neither switched to nor dropped yet */
  prepared: { order: SetOrder; late: boolean } | null;
  live: SetOrder | null;
  /** generations that went live, in order */
  readonly served: number[];
  started: boolean;
  stopAsked: boolean;
  stopped: boolean;
}

/**
 * Everything around a pointer follower: the store, the disk, the callers. Calls to the outside stay under way until a test ends them.
 * What a follower must never do is noted in `mistakes` where it happens: thrown at the follower, it would only be one more failed round.
 */
export class FollowerWorld {
  readonly mistakes: string[] = [];
  readonly calls = new PendingCalls(() => {
    if (this.calls.open.length > 1) this.wrong(`at once: ${this.calls.open.map(({ name }) => name).join(', ')}`);
    if (this.life.stopped) this.wrong('it goes on after stop');
  });
  /** the true pointers, the newest last */
  readonly published: { signed: SignedPointer; atMs: number }[] = [];
  life: Life;
  private offer: Offer = 'newest';
  private readonly forged = new Map<number, SignedPointer>();
  /** whether the store ever offered anything but the newest pointer */
  private lied = false;
  /** `seenAt`: when a round last saw this pointer in the store */
  private disk: (SignedPointer & { seenAt: Date }) | null = null;
  /** whether others who keep a record can be asked */
  private recordsAway = false;
  /** the highest generation that the process has been told since its start */
  private known = 0;
  private callers = 0;
  private nudgedAtMs = -1;
  private roundBeganAtMs = -1;
  private lastRead: { beganAtMs: number; offered: Pointer | null } | null = null;
  private diskIsUsable = true;
  private lastEnd: { name: string; how: 'answer' | 'fail' } | null = null;

  constructor() {
    this.life = this.newLife();
  }

  publish(): void {
    this.published.push({ signed: signedPointer(this.published.length + 1, 'true'), atMs: Date.now() });
    this.offer = 'newest';
  }

  offers(offer: Offer): void {
    this.offer = offer;
    this.lied ||= offer !== 'newest';
  }

  /** @param away whether the registry and the audit log cannot be asked from here on */
  records(away: boolean): void {
    this.recordsAway = away;
  }

  start(): void {
    this.life.started = true;
    this.life.follower.start();
  }

  nudge(): void {
    this.nudgedAtMs = Date.now();
    this.life.follower.nudge();
  }

  /** @param again whether the caller asks once more as soon as it has its answer */
  catchUp(again: boolean): void {
    const { life } = this;
    const askedAtMs = Date.now();
    this.callers += 1;
    void life.follower
      .catchUp()
      .then(
        (result) => {
          const got = result.outcome === 'nothing-published' ? null : result.live;
          if (this.lastRead === null || this.lastRead.beganAtMs < askedAtMs)
            this.wrong('a caller got the answer of a round that began before its call');
          else if (got !== this.lastRead.offered)
            this.wrong(`a caller got ${got?.version}, the store said ${this.lastRead.offered?.version}`);
        },
        (error: Error & { type?: string; code?: string }) => {
          const expected =
            error.code === 'ECONNRESET' ||
            (error.type === 'IntegrityError' && !this.believable()) ||
            (error.type === 'Unreachable' && life.stopAsked);
          if (!expected) this.wrong(`a caller failed for no reason: ${error.message}`);
        },
      )
      .then(() => {
        this.callers -= 1;
        if (again) this.catchUp(false);
      });
  }

  end(call: PendingCall, how: 'answer' | 'fail'): void {
    this.lastEnd = { name: call.name, how };
    call[how]();
  }

  stop(): void {
    const { life } = this;
    life.stopAsked = true;
    void life.follower.stop().then(() => {
      life.stopped = true;
    });
  }

  /** A stopped process starts again with what is on its disk. */
  async restart(diskIsUsable: boolean): Promise<void> {
    await this.endLife();
    this.known = diskIsUsable ? (this.disk?.pointer.generation ?? 0) : 0;
    this.diskIsUsable = diskIsUsable;
    this.life = this.newLife();
    this.lastEnd = null;
    const reading = this.life.follower.startFromCache();
    await settle();
    for (const call of [...this.calls.open]) call[diskIsUsable ? 'answer' : 'fail']();
    await settle();
    for (const call of [...this.calls.open]) call.answer();
    await reading;
    const expected = diskIsUsable && this.disk !== null ? [this.disk.pointer.generation] : [];
    if (this.life.served.join() !== expected.join())
      this.wrong(`it starts with ${this.life.served.join()}, on disk is ${expected.join()}`);
  }

  /** Lets go of what a stopped process held. */
  async endLife(): Promise<void> {
    await settle();
    if (this.life.prepared !== null) this.wrong('what it prepared is neither live nor dropped');
  }

  /** Everything that was wrong so far, and what is wrong now that nothing more happens by itself. */
  check(): readonly string[] {
    const { life, calls } = this;
    const held = life.follower.held()?.pointer ?? null;
    if (held !== (life.live?.origin.pointer ?? null)) this.wrong('what it says it holds is not live');
    const { caughtUpAtMs, error, staleSince } = life.follower.status();
    if ((staleSince !== null) !== (held !== null && (error !== null || caughtUpAtMs === null)))
      this.wrong(`it says that it is stale since ${staleSince}`);
    const seenAt = this.disk?.pointer === held ? this.disk?.seenAt.toISOString() : undefined;
    if (staleSince !== null && seenAt !== undefined) {
      const isOfDisk = life.live?.origin.from === 'cache' && caughtUpAtMs === null;
      if (isOfDisk ? staleSince !== seenAt : staleSince < seenAt)
        this.wrong(`it says that it is stale since ${staleSince}, on disk is ${seenAt}`);
    }
    const newestThen = this.published.filter(({ atMs }) => atMs < (caughtUpAtMs ?? -1)).length;
    if (!this.lied && newestThen > (held?.generation ?? 0))
      this.wrong(`it had caught up when ${newestThen} was out, and serves ${held?.generation}`);
    if (life.stopped && vi.getTimerCount() > 0) this.wrong('a timer outlives stop');
    if (calls.open.length > 0) return this.mistakes;

    if (this.callers > 0) this.wrong('a caller waits for a round that never comes');
    if (life.stopAsked && !life.stopped) this.wrong('stop never ends');
    if (!life.stopAsked && (error === null) !== this.lastRoundWentWell()) this.wrong(`its status is wrong: ${error}`);
    if (life.stopAsked || !life.started) return this.mistakes;
    if (this.roundBeganAtMs < this.nudgedAtMs) this.wrong('a wake-up is lost');
    if (vi.getTimerCount() !== 1) this.wrong(`${vi.getTimerCount()} timers wait for the next round`);
    return this.mistakes;
  }

  private newLife(): Life {
    const served: number[] = [];
    const unkept = new Set<number>();
    const follower = createPointerFollower({
      trust: {} as Trust,
      readPointer: () => {
        const beganAtMs = Date.now();
        if (life.stopAsked) this.wrong('a round begins after stop');
        this.roundBeganAtMs = beganAtMs;
        return this.calls.begin('read pointer', () => {
          const offered = this.offered();
          this.lastRead = { beganAtMs, offered: offered?.pointer ?? null };
          return offered;
        });
      },
      readBundle: (pointer) => this.calls.begin('read bundle', () => fetchedBundle(pointer)),
      knownGeneration: () => {
        if (!this.recordsAway) this.known = this.published.length;
        return Promise.resolve(this.known);
      },
      cache: {
        generation: () => Promise.resolve(this.diskIsUsable ? (this.disk?.pointer.generation ?? 0) : 0),
        read: () =>
          this.calls.begin('read disk', () => this.disk && { ...this.disk, ...fetchedBundle(this.disk.pointer) }),
        write: (signed) => {
          const written = this.calls.begin('write disk', () => {
            this.disk = { ...signed, seenAt: new Date() };
          });
          written.catch(() => unkept.add(signed.pointer.generation));
          return written;
        },
        seen: (at) => {
          if (unkept.has(life.live?.origin.generation ?? 0)) this.wrong('it vouches for a pointer that is not on disk');
          this.disk = this.disk && { ...this.disk, seenAt: at };
          return Promise.resolve();
        },
        lastSeen: () => Promise.resolve(this.disk?.seenAt ?? null),
      },
      serving: this.orders(() => life, unkept),
      pollMs: () => POLL_MS,
      onLoaded: () => undefined,
      onRound: () => undefined,
      log: silent,
    });
    const life: Life = {
      follower,
      prepared: null,
      live: null,
      served,
      started: false,
      stopAsked: false,
      stopped: false,
    };
    return life;
  }

  /** Serving, as a follower orders it. */
  private orders(ofLife: () => Life, unkept: ReadonlySet<number>): ServingOrders {
    return {
      prepare: async (order) => {
        const life = ofLife();
        const { generation } = order.origin;
        if (life.prepared !== null) this.wrong('it prepares a second set');
        if ((generation ?? 0) <= (life.served.at(-1) ?? 0))
          this.wrong(`it loads ${generation} while ${life.served.at(-1)} is live`);
        await this.calls.begin('open bundle', () => undefined);
        life.prepared = { order, late: life.stopAsked };
      },
      switchTo: (asked) => {
        const life = ofLife();
        const { prepared, served } = life;
        const { origin } = prepared?.order ?? {};
        const generation = origin?.generation ?? 0;
        if (generation !== asked) this.wrong(`it switches to ${asked}, prepared is ${generation}`);
        if (origin?.from === 'store' && generation < this.known)
          this.wrong(`it serves ${generation}, and ${this.known} is on record`);
        if (generation <= (served.at(-1) ?? 0)) this.wrong(`it goes from ${served.at(-1)} to ${generation}`);
        if (this.disk?.pointer !== origin?.pointer && !unkept.has(generation))
          this.wrong(`${generation} answers before it is on disk`);
        if (prepared?.late === true)
          this.wrong(`${generation} goes live though it was prepared after stop was asked for`);
        served.push(generation);
        life.live = prepared?.order ?? null;
        life.prepared = null;
        return Promise.resolve();
      },
      drop: () => {
        ofLife().prepared = null;
        return Promise.resolve();
      },
    };
  }

  private offered(): SignedPointer | null {
    const newest = this.published.at(-1)?.signed ?? null;
    if (newest === null || this.offer === 'gone') return null;
    if (this.offer === 'older') return this.published.at(-2)?.signed ?? newest;
    if (this.offer === 'newest') return newest;
    const { generation } = newest.pointer;
    const forged = this.forged.get(generation) ?? signedPointer(generation, 'forged');
    this.forged.set(generation, forged);
    return forged;
  }

  /** Whether what was read last could be served after what is held. */
  private believable(): boolean {
    const held = this.life.follower.held()?.pointer ?? null;
    const offered = this.lastRead?.offered ?? null;
    if ((offered?.generation ?? 0) < this.known) return false;
    if (held === null || offered === null) return held === null;
    return held === offered || offered.generation > held.generation;
  }

  private lastRoundWentWell(): boolean {
    if (this.lastEnd === null || this.lastEnd.name === 'write disk') return true;
    if (this.lastEnd.how === 'fail') return false;
    return this.lastEnd.name !== 'read pointer' || this.believable();
  }

  private wrong(what: string): void {
    this.mistakes.push(what);
  }
}

function signedPointer(generation: number, kind: 'true' | 'forged'): SignedPointer {
  const pointer: Pointer = {
    model: 'tiny',
    version: `${kind}-${generation}`,
    manifest_sha256: `${kind}-${generation}`,
    environment: 'production',
    generation,
    candidate: null,
    release_id: 'r',
    put_id: 'p',
    previous_version: null,
    actor: 'ada',
    reason: 'test',
    updated_at: '2025-06-30T12:00:00.000Z',
  };
  return { pointer, bytes: Buffer.alloc(0) };
}

/** Only what a follower looks at. */
function fetchedBundle({ version, manifest_sha256 }: Pointer): FetchedBundle {
  return { loaded: { version, manifestSha256: manifest_sha256 } as LoadedBundle, raw: new Map() };
}
