import { beforeAll, describe, expect, it, vi } from 'vitest';
import { SluiceError } from '../../platform/errors.js';
import { readFrom, silent, testSigner, tinyTrust } from '../../test/support/live-tiny-bundle.js';
import { makeTinyBundle, type TinyBundle } from '../../test/support/tiny-bundle.js';
import type { ServingOrders } from '../traffic/orders.js';
import { servePinned, type Pinned } from './pinned.js';

const { signer, trustedKeys } = testSigner();
const trust = tinyTrust(trustedKeys);
const WATCH_MS = 5;
let a: TinyBundle;
let b: TinyBundle;

beforeAll(async () => {
  [a, b] = await Promise.all([makeTinyBundle({ signer, patch: 1 }), makeTinyBundle({ signer, patch: 2, model: 'b' })]);
});

/** A directory that tests change, and serving that notes what it is ordered. */
class PinnedWorld {
  readonly directory = new Map(a.files);
  /** versions that went live, in order */
  readonly served: string[] = [];
  readonly outcomes: string[] = [];
  readonly errors: string[] = [];
  looks = 0;
  prepared: string | null = null;
  /** an order to prepare is under way */
  isPreparing = false;
  /** what a bundle is refused for after it was verified; null: nothing */
  refusal: SluiceError | null = null;
  /** while it is set, nothing gets prepared */
  gate: Promise<void> | null = null;

  private readonly orders: ServingOrders = {
    prepare: async ({ champion, origin }) => {
      expect(origin).toEqual({ from: 'pinned', generation: null, environment: 'production', pointer: null });
      expect(this.prepared).toBeNull();
      this.isPreparing = true;
      await this.gate;
      this.isPreparing = false;
      if (this.refusal !== null) throw this.refusal;
      this.prepared = champion.loaded.version;
    },
    switchTo: () => {
      this.served.push(this.prepared ?? 'nothing was prepared');
      this.prepared = null;
      return Promise.resolve();
    },
    drop: () => {
      this.prepared = null;
      return Promise.resolve();
    },
  };

  /** Writes it over what is there. */
  put(bundle: TinyBundle, names: readonly string[] = [...bundle.files.keys()]): void {
    for (const name of names) this.directory.set(name, bundle.files.get(name) as Buffer);
  }

  async pinned(watchMs = WATCH_MS): Promise<Pinned> {
    const pinned = await servePinned({
      trust,
      serving: this.orders,
      open: () => {
        this.looks += 1;
        return Promise.resolve(readFrom({ ...a, files: this.directory }));
      },
      watchMs,
      onRound: (outcome) => void this.outcomes.push(outcome),
      log: { ...silent, error: (_fields: unknown, text: string) => void this.errors.push(text) } as typeof silent,
    });
    pinned.start();
    return pinned;
  }

  /** Until it has looked so many times more. */
  async looksOn(times: number): Promise<void> {
    const from = this.looks;
    await vi.waitFor(() => expect(this.looks).toBeGreaterThanOrEqual(from + times), { interval: 2, timeout: 10_000 });
  }
}

const until = (what: () => void): Promise<void> => vi.waitFor(what, { interval: 2, timeout: 10_000 });

describe('a pinned bundle', () => {
  it('is another one as soon as the directory holds another, without anybody asking', async () => {
    const world = new PinnedWorld();
    const pinned = await world.pinned();
    expect(world.served).toEqual([a.version]);
    for (const [bundle, count] of [
      [b, 2],
      [a, 3],
    ] as const) {
      // prettier-ignore
      world.put(bundle);
      await until(() => expect(world.served).toHaveLength(count));
      expect(world.served.at(-1)).toBe(bundle.version);
    }
    await world.looksOn(5);
    expect(world.outcomes).toEqual(['loaded', 'loaded', 'loaded']);
    await pinned.stop();
    expect(world.errors).toEqual([]);
  });

  it('stays while the new one is half written, which is told once, and is loaded when it is whole', async () => {
    const world = new PinnedWorld();
    const pinned = await world.pinned();
    world.put(b, ['manifest.json']);
    await until(() => expect(pinned.error()).toMatch(/signs other bytes/));
    // Time stands still: the next try is not due.
    const clock = vi.spyOn(performance, 'now').mockReturnValue(performance.now());
    await world.looksOn(5);
    expect(world.outcomes).toEqual(['loaded', 'failed']);
    clock.mockRestore();
    world.put(b);
    await until(() => expect(world.served).toEqual([a.version, b.version]));
    expect(pinned.error()).toBeNull();
    expect(world.errors).toHaveLength(1);
    await pinned.stop();
  });

  it('stays while the directory is away, and is well again when it is back', async () => {
    const world = new PinnedWorld();
    const pinned = await world.pinned();
    world.directory.clear();
    await until(() => expect(pinned.error()).toMatch(/manifest\.json is missing/));
    world.put(a);
    await until(() => expect(pinned.error()).toBeNull());
    expect(world.served).toEqual([a.version]);
    expect(world.errors).toHaveLength(1);
    await pinned.stop();
  });

  it('is not replaced by a manifest that goes on changing', async () => {
    const world = new PinnedWorld();
    const pinned = await world.pinned();
    const changing = vi.spyOn(world.directory, 'get');
    let flips = 0;
    changing.mockImplementation((name) => {
      if (name === 'manifest.json') flips += 1;
      return (flips % 2 === 0 ? a : b).files.get(name);
    });
    await until(() => expect(flips).toBeGreaterThan(20));
    changing.mockRestore();
    expect(world.outcomes).toEqual(['loaded']);
    await pinned.stop();
  });

  it('that does not score as training did is tried once, and again when somebody asks', async () => {
    const world = new PinnedWorld();
    const pinned = await world.pinned();
    world.refusal = new SluiceError('IntegrityError', 'golden_vectors.json: /features/0 gives score 0');
    world.put(b);
    await until(() => expect(pinned.error()).toMatch(/golden_vectors/));
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => 1e9);
    await world.looksOn(5);
    clock.mockRestore();
    expect(world.outcomes).toEqual(['loaded', 'failed']);
    world.put(a);
    await until(() => expect(pinned.error()).toBeNull());
    world.put(b);
    await until(() => expect(pinned.error()).toMatch(/golden_vectors/));
    world.refusal = null;
    expect(await pinned.catchUp()).toMatchObject({ outcome: 'loaded', live: { version: b.version, generation: null } });
    expect(await pinned.catchUp()).toMatchObject({ outcome: 'current', live: { version: b.version } });
    await pinned.stop();
  });

  it('is loaded once, however many ask at a time', async () => {
    const world = new PinnedWorld();
    const pinned = await world.pinned(0);
    let open = (): void => undefined;
    world.gate = new Promise((resolve) => (open = resolve));
    world.put(b);
    const asked = Array.from({ length: 10 }, () => pinned.catchUp());
    open();
    const answers = await Promise.all(asked);
    expect(answers.map(({ outcome }) => outcome)).toEqual(['loaded', ...Array.from({ length: 9 }, () => 'current')]);
    expect(world.outcomes).toEqual(['loaded', 'loaded', 'current']);
    await pinned.stop();
    await expect(pinned.catchUp()).rejects.toMatchObject({ type: 'Unreachable' });
  });

  it('is not looked for where that is off, and not switched to after the stop', async () => {
    const world = new PinnedWorld();
    const pinned = await world.pinned(0);
    const { looks } = world;
    let open = (): void => undefined;
    world.gate = new Promise((resolve) => (open = resolve));
    world.put(b);
    const asked = pinned.catchUp().catch((error: unknown) => error);
    expect(world.looks).toBe(looks + 1);
    await until(() => expect(world.isPreparing).toBe(true));
    const stopped = pinned.stop();
    open();
    await stopped;
    expect(await asked).toMatchObject({ type: 'Unreachable' });
    expect(world.prepared).toBeNull();
    expect(world.served).toEqual([a.version]);
  });

  it('that cannot be served from the start is an error of the start', async () => {
    const world = new PinnedWorld();
    world.directory.set('isotonic.json', Buffer.from('{}'));
    await expect(world.pinned()).rejects.toThrow(/isotonic\.json has/);
    expect(world.outcomes).toEqual(['failed']);
  });
});
