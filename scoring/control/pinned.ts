import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import { sha256Hex } from '../../domain/bundle/digest.js';
import { MANIFEST_FILE } from '../../domain/bundle/layout.js';
import { PROOF_LIMIT } from '../../domain/bundle/limits.js';
import type { ReadFile } from '../../domain/bundle/load.js';
import { createBackoff } from '../../platform/backoff.js';
import { failureName, SluiceError } from '../../platform/errors.js';
import type { ServingOrders } from '../traffic/orders.js';
import { fetchBundle, type Trust } from './bundle-source.js';
import type { CatchUp, Live } from './pointer-follower.js';
import { createRounds } from './rounds.js';
import { createToldRounds } from './told-rounds.js';

/** Keeps the bundle of one directory live, whatever the pointer says. */
export interface Pinned {
  /** Looks at the directory from time to time until `stop`, if that is wanted. */
  start(): void;
  /** A look that begins after the call: loads what the directory holds now. Its failure leaves everything as it was. */
  catchUp(): Promise<CatchUp>;
  /** why what the directory holds is not what is served; null when it is */
  error(): string | null;
  stop(): Promise<void>;
}

export interface PinnedOptions {
  trust: Trust;
  serving: ServingOrders;
  /** the directory as it is now: its files may change, and a link on the way to it too */
  open: () => Promise<ReadFile>;
  /** between looks at the manifest, which must be the same in two of them; 0: no looks */
  watchMs: number;
  /** a bundle was looked for: loaded, found to be the one that is live, or refused */
  onRound: (outcome: 'loaded' | 'current' | 'failed', seconds: number) => void;
  log: Pick<Logger, 'info' | 'error'>;
}

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 30_000;

/**
 * Serves the bundle of a directory, verified as any other.
 * @throws SluiceError when it cannot be served: starting again would not help
 */
export async function servePinned(options: PinnedOptions): Promise<Pinned> {
  const { serving, trust, open, watchMs, log } = options;
  let held: { live: Live; loadedInMs: number } | null = null;
  /** every byte of it is right, and it does not score as training did: no other try will change that */
  let unservable: string | null = null;

  const round = async (): Promise<CatchUp & { outcome: 'loaded' | 'current' }> => {
    const startedAtMs = performance.now();
    const readNow = await open();
    const read: ReadFile = (name, limit) => {
      if (rounds.stopped) throw stopping();
      return readNow(name, limit);
    };
    if (held !== null && (await manifestOf(read)) === held.live.manifest_sha256) {
      unservable = null;
      return { outcome: 'current', ...held };
    }
    const champion = await fetchBundle(read, trust, null);
    const { version, manifestSha256 } = champion.loaded;
    const origin = { from: 'pinned', generation: null, environment: trust.environment, pointer: null } as const;
    await serving.prepare({ origin, champion, candidate: null }).catch((failure: unknown) => {
      if (failureName(failure) === 'IntegrityError') unservable = manifestSha256;
      throw failure;
    });
    if (rounds.stopped) {
      await serving.drop(null);
      throw stopping();
    }
    await serving.switchTo(null);
    unservable = null;
    const live = { version, manifest_sha256: manifestSha256, generation: null };
    held = { live, loadedInMs: performance.now() - startedAtMs };
    log.info({ version, loadedInMs: Math.round(held.loadedInMs) }, 'pinned bundle is live; no pointer is followed');
    return { outcome: 'loaded', ...held };
  };

  const told = createToldRounds(round, {
    onRound: options.onRound,
    log,
    texts: { failed: 'what the directory holds cannot be served', well: 'the directory can be served again' },
  });
  const rounds = createRounds<CatchUp>(told.run, () => watchMs);
  const look = createLook(open, rounds.next, (seen) => {
    if (seen === held?.live.manifest_sha256) return told.error() !== null;
    return seen !== unservable;
  });
  const watch = createRounds(look, () => watchMs);

  await rounds.next();
  return {
    start() {
      if (watchMs > 0) watch.start();
    },
    catchUp: rounds.next,
    error: told.error,
    async stop() {
      await Promise.all([watch.stop(), rounds.stop()]);
    },
  };
}

/**
 * One look of the watch, which never fails: loads what two looks have found, if that is worth while. What was refused is tried again when it
 * has changed, and ever more rarely while its manifest is the same: its other files may still be on their way.
 * @param isWorthwhile asked with the manifest's digest, or with why there is none
 */
function createLook(
  open: PinnedOptions['open'],
  load: () => Promise<unknown>,
  isWorthwhile: (seen: string) => boolean,
): () => Promise<void> {
  let before: string | null = null;
  let refused = { seen: '', notBeforeMs: 0 };
  const backoff = createBackoff(FIRST_WAIT_MS, LONGEST_WAIT_MS);
  return async () => {
    const seen = await open()
      .then(manifestOf)
      .catch((error: Error) => `no manifest: ${error.message}`);
    const isSame = seen === before;
    before = seen;
    if (!isSame || !isWorthwhile(seen)) return;
    if (seen === refused.seen && performance.now() < refused.notBeforeMs) return;
    if (seen !== refused.seen) backoff.reset();
    await load().then(
      () => (refused = { seen: '', notBeforeMs: 0 }),
      () => (refused = { seen, notBeforeMs: performance.now() + backoff.next() }),
    );
  };
}

/** The digest of a bundle's manifest, on which every other digest hangs. */
async function manifestOf(read: ReadFile): Promise<string> {
  return sha256Hex(await read(MANIFEST_FILE, PROOF_LIMIT[MANIFEST_FILE]));
}

function stopping(): SluiceError {
  return new SluiceError('Unreachable', 'this replica is shutting down');
}
