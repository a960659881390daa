import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { comparePointers } from '../../domain/pointer/pointer.js';
import { SluiceError } from '../../platform/errors.js';
import { toFileError } from '../../platform/files.js';
import type { Pointer } from '../../schemas/types.js';
import type { BundleCache } from './bundle-cache.js';
import type { FetchedBundle, ServingOrders } from '../traffic/orders.js';
import type { Origin } from '../traffic/serving-set.js';
import type { SignedPointer, Trust } from './bundle-source.js';
import { createRounds } from './rounds.js';
import { createToldRounds } from './told-rounds.js';

/** A bundle that is live, and by which generation of the pointer; null: by none, it is pinned. */
export interface Live {
  version: string;
  manifest_sha256: string;
  generation: number | null;
}

export type CatchUp =
  { outcome: 'loaded' | 'current'; live: Live; loadedInMs: number } | { outcome: 'nothing-published' };

export interface FollowerStatus {
  /** `performance.now()` at the start of the last round that ended with the pointer's bundle live; null: none yet */
  caughtUpAtMs: number | null;
  /** why the last round failed; null when it did not */
  error: string | null;
  /** the highest generation on record when it was last asked for: what is older is never served from the store */
  knownGeneration: number;
  /**
   * When what is served was last seen to be what the pointer names, as ISO time, in this life or in a former one; null while the last look
   * at the pointer says that it is
   */
  staleSince: string | null;
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
  /** what it keeps in step with the pointer */
  serving: ServingOrders;
  cache: BundleCache;
  readPointer: () => Promise<SignedPointer | null>;
  /**
   * The highest generation on record with others; 0 when none is, or nobody can be asked. Must not reject.
   * @param mayWait whether it may take its time: nothing is served yet
   */
  knownGeneration: (mayWait: () => boolean) => Promise<number>;
  readBundle: (pointer: Pointer) => Promise<FetchedBundle>;
  /** between rounds that went well, asked after each: the safety net below reload orders */
  pollMs: () => number;
  /** something else is live now */
  onLoaded: () => void;
  /** a look at the pointer ended */
  onRound: (outcome: CatchUp['outcome'] | 'failed', seconds: number) => void;
  log: Logger;
}

const UNPUBLISHED_POLL_MS = 5_000;

interface Held {
  pointer: Pointer;
  fetched: FetchedBundle;
  loadedInMs: number;
}

export function createPointerFollower(options: FollowerOptions): PointerFollower {
  const { serving, cache, trust, log } = options;
  let held: Held | null = null;
  let caughtUpAtMs: number | null = null;
  let known = 0;
  /** when the pointer was last read and its bundle live; null: never, as far as the disk tells */
  let seenAt: Date | null = null;
  /** a restart would begin with what is live now */
  let isKept = false;

  const serve = async (
    signed: SignedPointer,
    fetched: FetchedBundle,
    from: Origin['from'],
    startedAtMs: number,
  ): Promise<void> => {
    const { pointer } = signed;
    const { generation, environment } = pointer;
    const origin: Origin = { from, generation, environment, pointer };
    await serving.prepare({ origin, champion: fetched, candidate: null });
    if (rounds.stopped) {
      await serving.drop(generation);
      throw new SluiceError('Unreachable', 'this replica is shutting down');
    }
    // On disk before it answers: a restart must not fall back behind what this replica has served.
    isKept = from === 'cache' || (await keptOnDisk(cache, signed, fetched, log));
    await serving.switchTo(generation);
    held = { pointer, fetched, loadedInMs: performance.now() - startedAtMs };
    log.info({ version: pointer.version, generation, from, loadedInMs: Math.round(held.loadedInMs) }, 'bundle is live');
    options.onLoaded();
  };

  const round = async (): Promise<CatchUp> => {
    const startedAtMs = performance.now();
    // Asked before the pointer is read: a change is on record only after the pointer names it, so a true pointer is never behind.
    known = Math.max(known, await options.knownGeneration(() => held === null && !rounds.stopped));
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
    // What it believed before it could ask was no catching up.
    if (held !== null && held.pointer.generation < known && pointer.generation < known) caughtUpAtMs = null;
    const order = believableOrder(pointer, held, known);
    if (held === null || order === 'newer') {
      await serve(signed, heldBundle(held, pointer) ?? (await options.readBundle(pointer)), 'store', startedAtMs);
    }
    caughtUpAtMs = startedAtMs;
    seenAt = new Date();
    if (isKept) await cache.seen(seenAt);
    const { pointer: live, loadedInMs } = held as unknown as Held;
    return { outcome: order === 'equal' ? 'current' : 'loaded', live, loadedInMs };
  };

  const told = createToldRounds(round, {
    onRound: options.onRound,
    log,
    texts: { failed: 'the pointer could not be followed', well: 'the pointer can be followed again' },
  });
  const rounds = createRounds(told.run, ({ outcome }) =>
    outcome === 'nothing-published' ? Math.min(UNPUBLISHED_POLL_MS, options.pollMs()) : options.pollMs(),
  );

  return {
    async startFromCache() {
      const startedAtMs = performance.now();
      // Also when its bundle cannot be read any more: this replica has served it.
      known = await cache.generation(trust);
      try {
        const kept = await cache.read(trust);
        if (kept === null) return;
        seenAt = await cache.lastSeen();
        await serve(kept, kept, 'cache', startedAtMs);
      } catch (failure) {
        log.error({ err: failure }, 'the bundle kept on disk is not usable; waiting for the store');
      }
    },
    start: () => rounds.start(),
    catchUp: () => rounds.next(),
    nudge: () => rounds.nudge(),
    status() {
      const error = told.error();
      const isStale = held !== null && (error !== null || caughtUpAtMs === null);
      return {
        caughtUpAtMs,
        error,
        knownGeneration: known,
        staleSince: isStale ? (seenAt?.toISOString() ?? null) : null,
      };
    },
    held: () => held,
    stop: () => rounds.stop(),
  };
}

async function keptOnDisk(
  cache: BundleCache,
  signed: SignedPointer,
  { raw }: FetchedBundle,
  log: Logger,
): Promise<boolean> {
  try {
    await cache.write(signed, raw);
    return true;
  } catch (failure) {
    log.error(
      { err: toFileError(failure, 'the bundle cache', 'SLUICE_STATE_DIR') },
      'the bundle could not be kept on disk; a restart without S3 would serve an older one',
    );
    return false;
  }
}

/** What this replica serves already need not be read again: the digest says that it is the same. */
function heldBundle(held: Held | null, { manifest_sha256, version }: Pointer): FetchedBundle | null {
  const isSame = held?.pointer.manifest_sha256 === manifest_sha256 && held.pointer.version === version;
  return isSame ? held.fetched : null;
}

/**
 * How a pointer of the store relates to what is live here.
 * @param known the highest generation on record
 * @throws SluiceError IntegrityError for one that must not be followed: older, forged, or put back
 */
function believableOrder(pointer: Pointer, held: Held | null, known: number): ReturnType<typeof comparePointers> {
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
    throw new SluiceError(
      'IntegrityError',
      `the store offers generation ${pointer.generation}, and ${known} is on record: an older pointer was put back. Restore the newest one; where the store was set back on purpose, docs/decisions/0024 says what goes with it. ${stays(held) ?? 'Nothing is served'}`,
    );
  }
  return order;
}

function stays(held: { pointer: Pointer } | null): string | null {
  return held === null ? null : `generation ${held.pointer.generation} stays live`;
}
