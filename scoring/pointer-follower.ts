import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { comparePointers } from '../domain/pointer/pointer.js';
import { createBackoff } from '../platform/backoff.js';
import { SluiceError } from '../platform/errors.js';
import { toFileError } from '../platform/files.js';
import type { Pointer } from '../schemas/types.js';
import type { BundleCache } from './bundle-cache.js';
import type { BundleHost } from './bundle-host.js';
import type { FetchedBundle, SignedPointer, Trust } from './bundle-source.js';
import type { LiveBundle, Origin } from './live-bundle.js';

export type CatchUp =
  { outcome: 'loaded' | 'current'; pointer: Pointer; loadedInMs: number } | { outcome: 'nothing-published' };

export interface FollowerStatus {
  /** `performance.now()` at the start of the last round that ended with the pointer's bundle live; null: none yet */
  caughtUpAtMs: number | null;
  /** why the last round failed; null when it did not */
  error: string | null;
  /** the highest generation on record when it was last asked for: what is older is never served from the store */
  knownGeneration: number;
}

/** Keeps the bundle that the pointer names live, and never goes back. */
export interface PointerFollower {
  /** Serves what the last life left on disk, if it can be believed. */
  startFromCache(): Promise<void>;
  /** Follows in the background until `stop`. */
  start(): void;
  /** One round that begins after the call: reads the pointer and loads what it names. Its failure leaves everything as it was. */
  catchUp(): Promise<CatchUp>;
  /** The background's next round now; like any of its rounds it is tried again until it succeeds. */
  nudge(): void;
  status(): FollowerStatus;
  /** the pointer whose bundle is live, and how long that took to load; null while there is none */
  held(): { pointer: Pointer; loadedInMs: number } | null;
  stop(): Promise<void>;
}

export interface FollowerOptions {
  trust: Trust;
  host: BundleHost;
  cache: BundleCache;
  readPointer: () => Promise<SignedPointer | null>;
  /**
   * The highest generation on record with others; 0 when none is, or nobody can be asked. Must not reject.
   * @param mayWait whether it may take its time: nothing is served yet
   */
  knownGeneration: (mayWait: () => boolean) => Promise<number>;
  readBundle: (pointer: Pointer) => Promise<FetchedBundle>;
  openBundle: (fetched: FetchedBundle, origin: Origin) => Promise<LiveBundle>;
  /** between rounds that went well, asked after each: the safety net below reload orders */
  pollMs: () => number;
  /** something else is live now */
  onLoaded: () => void;
  log: Logger;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 30_000;
const UNPUBLISHED_POLL_MS = 5_000;

export function createPointerFollower(options: FollowerOptions): PointerFollower {
  const { host, cache, trust, log } = options;
  let held: { pointer: Pointer; loadedInMs: number } | null = null;
  let caughtUpAtMs: number | null = null;
  let error: string | null = null;
  let known = 0;
  let running: Promise<CatchUp> | null = null;
  let queued: Promise<CatchUp> | null = null;
  let stopped = false;
  let woken = false;
  let wake: (() => void) | null = null;
  const wakeUp = (): void => {
    woken = true;
    wake?.();
  };

  const serve = async (
    signed: SignedPointer,
    fetched: FetchedBundle,
    from: Origin['from'],
    startedAtMs: number,
  ): Promise<void> => {
    const { pointer } = signed;
    const origin: Origin = { from, generation: pointer.generation, environment: pointer.environment, pointer };
    const live = await options.openBundle(fetched, origin);
    if (stopped) {
      await live.close();
      throw new SluiceError('Unreachable', 'this replica is shutting down');
    }
    // On disk before it answers: a restart must not fall back behind what this replica has served.
    if (from === 'store') {
      await cache.write(signed, fetched.raw).catch((failure: unknown) => {
        log.error(
          { err: toFileError(failure, 'the bundle cache', 'SLUICE_STATE_DIR') },
          'the bundle could not be kept on disk; a restart without S3 would serve an older one',
        );
      });
    }
    host.replace(live);
    held = { pointer, loadedInMs: performance.now() - startedAtMs };
    log.info(
      { version: pointer.version, generation: pointer.generation, from, loadedInMs: Math.round(held.loadedInMs) },
      'bundle is live',
    );
    options.onLoaded();
  };

  const round = async (): Promise<CatchUp> => {
    const startedAtMs = performance.now();
    // Asked before the pointer is read: a change is on record only after the pointer names it, so a true pointer is never behind.
    known = Math.max(known, await options.knownGeneration(() => held === null && !stopped));
    const signed = await options.readPointer();
    if (signed === null) {
      if (held !== null || known > 0)
        throw new SluiceError(
          'IntegrityError',
          `the pointer is gone from the store; ${stays(held) ?? `generation ${known} is on record`}`,
        );
      caughtUpAtMs = startedAtMs;
      return { outcome: 'nothing-published' };
    }
    const { pointer } = signed;
    const order = comparePointers(held?.pointer ?? null, pointer);
    if (held !== null && order === 'older') {
      throw new SluiceError(
        'IntegrityError',
        `the store offers generation ${pointer.generation}, older than ${held.pointer.generation}, which stays live`,
      );
    }
    if (held !== null && order === 'equal' && pointer.manifest_sha256 !== held.pointer.manifest_sha256) {
      throw new SluiceError(
        'IntegrityError',
        `two bundles claim generation ${pointer.generation}: ${held.pointer.version} stays live, ${pointer.version} is refused`,
      );
    }
    if (pointer.generation < known) {
      // What it believed before it could ask was no catching up.
      if (held !== null && held.pointer.generation < known) caughtUpAtMs = null;
      throw new SluiceError(
        'IntegrityError',
        `the store offers generation ${pointer.generation}, and ${known} is on record: an older pointer was put back. Restore the newest one; where the store was set back on purpose, docs/decisions/0024 says what goes with it. ${stays(held) ?? 'Nothing is served'}`,
      );
    }
    if (held === null || order === 'newer')
      await serve(signed, await options.readBundle(pointer), 'store', startedAtMs);
    caughtUpAtMs = startedAtMs;
    if (held === null) throw new Error('unreachable: a bundle was just put live');
    return { outcome: order === 'equal' ? 'current' : 'loaded', pointer: held.pointer, loadedInMs: held.loadedInMs };
  };

  const observed = async (): Promise<CatchUp> => {
    try {
      const result = await round();
      if (error !== null) log.info('the pointer can be followed again');
      error = null;
      return result;
    } catch (failure) {
      const message = failure instanceof Error ? failure.message : String(failure);
      if (error !== message) log.error({ err: failure }, 'the pointer could not be followed');
      error = message;
      throw failure;
    }
  };

  const begin = (): Promise<CatchUp> => {
    // Here, because what is queued before a stop comes to its turn after it.
    if (stopped) return Promise.reject(new SluiceError('Unreachable', 'this replica is shutting down'));
    const mine = observed().finally(() => {
      if (running === mine) running = null;
    });
    running = mine;
    return mine;
  };

  // Rounds never overlap; callers that come during one share the next, since the pointer may have moved after this one read it.
  const catchUp = (): Promise<CatchUp> => {
    // Also in the moment between two rounds, when none is running and the next is already promised.
    if (queued !== null) return queued;
    if (running === null) return begin();
    queued = running
      .catch(() => undefined)
      .then(() => {
        queued = null;
        return begin();
      });
    return queued;
  };

  /** Until the time is over, or someone wakes the loop: now, or while it was busy. */
  const pause = async (ms: number): Promise<void> => {
    if (!woken) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    woken = false;
  };

  const loop = async (): Promise<void> => {
    const backoff = createBackoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);
    while (!stopped) {
      try {
        const { outcome } = await catchUp();
        backoff.reset();
        await pause(
          outcome === 'nothing-published' ? Math.min(UNPUBLISHED_POLL_MS, options.pollMs()) : options.pollMs(),
        );
      } catch {
        await pause(backoff.next());
      }
    }
  };
  let looping: Promise<void> | null = null;

  return {
    async startFromCache() {
      const startedAtMs = performance.now();
      // Also when its bundle cannot be read any more: this replica has served it.
      known = await cache.generation(trust);
      try {
        const kept = await cache.read(trust);
        if (kept !== null) await serve(kept, kept, 'cache', startedAtMs);
      } catch (failure) {
        log.error({ err: failure }, 'the bundle kept on disk is not usable; waiting for the store');
      }
    },
    start() {
      looping ??= loop();
    },
    catchUp,
    nudge: wakeUp,
    status: () => ({ caughtUpAtMs, error, knownGeneration: known }),
    held: () => held,
    async stop() {
      stopped = true;
      wakeUp();
      await looping;
      await running?.catch(() => undefined);
    },
  };
}

function stays(held: { pointer: Pointer } | null): string | null {
  return held === null ? null : `generation ${held.pointer.generation} stays live`;
}
