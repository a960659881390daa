import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { LoadedBundle } from '../../domain/bundle/load.js';
import { PendingCalls, settle } from '../../test/support/pending-calls.js';
import { seeded } from '../../test/support/seeded.js';
import type { OpenBundle } from '../bundles/open-bundle.js';
import { createBundlePool } from '../bundles/pool.js';
import { createOrders, type ServingOrders, type SetOrder } from './orders.js';
import { bundlesOf, type ServingSet } from './serving-set.js';
import { createServingSets, type ServingSets } from './serving-sets.js';

const silent = pino({ level: 'silent' });
const DIGESTS = ['a', 'b', 'c'] as const;
type Digest = (typeof DIGESTS)[number];

interface Bundle {
  digest: Digest;
  closeAsked: boolean;
}

/** Serving as it is seen from outside: which bundles are open, who works with which set, and which calls are under way. */
class ServingWorld {
  readonly mistakes: string[] = [];
  readonly work = new PendingCalls(() => undefined);
  readonly openings = new PendingCalls(() => undefined);
  readonly closings = new PendingCalls(() => undefined);
  private readonly sets: ServingSets;
  private readonly orders: ServingOrders;
  private readonly pool = createBundlePool((loaded) => this.open(loaded), silent);
  private readonly bundles: Bundle[] = [];
  /** sets that somebody works with, once for each work */
  private readonly inUse: ServingSet[] = [];
  private generation = 0;
  /** asked for; `ready` once it could be switched to */
  prepared: { generation: number; digests: Digest[]; ready: boolean } | null = null;
  private live: { generation: number; digests: Digest[] } | null = null;
  private closing = false;
  private closed = false;

  constructor() {
    this.sets = createServingSets((set) => bundlesOf(set).forEach((bundle) => this.pool.release(bundle)));
    this.orders = createOrders(this.pool, this.sets);
  }

  get isClosing(): boolean {
    return this.closing;
  }

  prepare(champion: Digest, candidate: Digest | null): void {
    this.generation += 1;
    const asked = {
      generation: this.generation,
      digests: candidate ? [champion, candidate] : [champion],
      ready: false,
    };
    this.prepared = asked;
    this.orders.prepare(orderOf(asked.generation, champion, candidate)).then(
      () => (asked.ready = true),
      () => (this.prepared = null),
    );
  }

  switch(): void {
    const { prepared } = this;
    if (prepared === null) return;
    this.live = prepared;
    this.prepared = null;
    void this.orders.switchTo(prepared.generation);
  }

  drop(): void {
    const { prepared } = this;
    this.prepared = null;
    void this.orders.drop(prepared?.generation ?? null);
  }

  use(): void {
    const expected = this.live;
    let done: Promise<unknown>;
    try {
      done = this.sets.use((set) => {
        if (set.origin.generation !== expected?.generation) this.mistakes.push('someone works with a former set');
        this.inUse.push(set);
        return this.work.begin('work', () => 'done').finally(() => void this.inUse.splice(this.inUse.indexOf(set), 1));
      }) as Promise<unknown>;
    } catch (error) {
      if (expected !== null) this.mistakes.push(`no set to work with: ${(error as Error).message}`);
      return;
    }
    if (expected === null) this.mistakes.push('there was no set to work with');
    done.catch((error: { code?: string }) => {
      if (error.code !== 'ECONNRESET') this.mistakes.push(`work failed for no reason: ${error.code}`);
    });
  }

  close(): void {
    this.closing = true;
    this.live = null;
    this.sets.replace(null);
    void this.sets
      .drained()
      .then(() => this.pool.idle())
      .then(() => (this.closed = true));
  }

  check(): readonly string[] {
    if ((this.sets.current()?.origin.generation ?? null) !== (this.live?.generation ?? null))
      this.mistakes.push('another set is live');
    const needed = new Set([
      ...(this.live?.digests ?? []),
      ...(this.prepared?.digests ?? []),
      ...this.inUse.flatMap((set) => bundlesOf(set).map(({ id }) => id.manifestSha256)),
    ]);
    for (const digest of DIGESTS) {
      const open = this.bundles.filter((bundle) => bundle.digest === digest && !bundle.closeAsked);
      if (open.length > 1) this.mistakes.push(`${digest} is open ${open.length} times`);
      const opening = this.openings.open.length > 0;
      if (!opening && open.length !== (needed.has(digest) ? 1 : 0))
        this.mistakes.push(`${digest} is open ${open.length} times, needed: ${needed.has(digest)}`);
    }
    const busy = this.work.open.length + this.closings.open.length > 0;
    if (this.closing && this.closed === busy)
      this.mistakes.push(busy ? 'close ended before what was under way' : 'close never ends');
    return this.mistakes;
  }

  private async open({ manifestSha256 }: LoadedBundle): Promise<OpenBundle> {
    await this.openings.begin('open', () => undefined);
    const bundle: Bundle = { digest: manifestSha256 as Digest, closeAsked: false };
    this.bundles.push(bundle);
    const close = () => {
      if (bundle.closeAsked) this.mistakes.push(`${bundle.digest} is closed twice`);
      bundle.closeAsked = true;
      return this.closings.begin('close', () => undefined);
    };
    return { id: { version: `v-${manifestSha256}`, manifestSha256 }, close } as OpenBundle;
  }
}

function orderOf(generation: number, champion: Digest, candidate: Digest | null): SetOrder {
  const bundle = (manifestSha256: Digest) => ({ loaded: { manifestSha256 } as LoadedBundle, raw: new Map() });
  return {
    origin: { from: 'store', generation, environment: 'production', pointer: null },
    champion: bundle(champion),
    candidate:
      candidate === null ? null : { bundle: bundle(candidate), weight: 0.1, salt: 's', mode: 'canary' as const },
  };
}

type Step = fc.AsyncCommand<ServingWorld, null>;

function step(name: string, possible: (world: ServingWorld) => boolean, act: (world: ServingWorld) => void): Step {
  return {
    check: possible,
    async run(world) {
      act(world);
      await settle();
      expect(world.check()).toEqual([]);
    },
    toString: () => name,
  };
}

const CALLS = ['work', 'openings', 'closings'] as const;
const endOne = (calls: (typeof CALLS)[number], index: number, how: 'answer' | 'fail'): Step =>
  step(
    `${how} ${calls} ${index}`,
    (world) => world[calls].open.length > index,
    (world) => world[calls].open[index]?.[how](),
  );
const prepare = (champion: Digest, candidate: Digest | null): Step =>
  step(
    `prepare ${champion} ${candidate}`,
    ({ isClosing, prepared }) => !isClosing && prepared === null,
    (world) => world.prepare(champion, candidate),
  );
const isReady = ({ isClosing, prepared }: ServingWorld): boolean => !isClosing && prepared?.ready === true;
const close = step(
  'close',
  ({ isClosing, prepared }) => !isClosing && prepared === null,
  (world) => world.close(),
);

const anyStep = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constant(
      step(
        'use',
        ({ isClosing }) => !isClosing,
        (world) => world.use(),
      ),
    ),
  },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constantFrom(...DIGESTS), fc.option(fc.constantFrom(...DIGESTS)))
      .map((of) => prepare(...of)),
  },
  { weight: 3, arbitrary: fc.constant(step('switch', isReady, (world) => world.switch())) },
  { weight: 1, arbitrary: fc.constant(step('drop', isReady, (world) => world.drop())) },
  {
    weight: 8,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...CALLS),
        fc.nat({ max: 2 }),
        fc.constantFrom('answer' as const, 'answer' as const, 'fail' as const),
      )
      .map((of) => endOne(...of)),
  },
  { weight: 1, arbitrary: fc.constant(close) },
);

describe('serving sets and their bundles', () => {
  it('have each bundle open once while a set needs it or somebody works with it, and not longer', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands([anyStep], { maxCommands: 50, size: 'max' }), async (steps) => {
        const world = new ServingWorld();
        await fc.asyncModelRun(() => ({ model: world, real: null }), steps);
        while (world.openings.open.length > 0) await endOne('openings', 0, 'answer').run(world, null);
        if (isReady(world)) await step('drop', isReady, (w) => w.drop()).run(world, null);
        if (!world.isClosing) await close.run(world, null);
        while (world.work.open.length > 0) await endOne('work', 0, 'answer').run(world, null);
        while (world.closings.open.length > 0) await endOne('closings', 0, 'answer').run(world, null);
      }),
      seeded(300),
    );
  }, 60_000);
});
