import fc from 'fast-check';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { PendingCalls, settle } from '../../test/support/pending-calls.js';
import { seeded } from '../../test/support/seeded.js';
import { createBundleHost, type BundleHost } from './bundle-host.js';
import type { LiveBundle } from '../bundles/live-bundle.js';

interface Bundle {
  live: LiveBundle;
  uses: number;
  closeAsked: number;
}

/** What is known of a host from outside: who uses which bundle, and which closings are under way. */
class HostWorld {
  readonly bundles: Bundle[] = [];
  readonly work = new PendingCalls(() => undefined);
  readonly closings = new PendingCalls(() => undefined);
  current: Bundle | null = null;
  readonly mistakes: string[] = [];
  private closing = false;
  private closed = false;

  constructor(readonly host: BundleHost) {}

  replace(): void {
    const bundle: Bundle = { uses: 0, closeAsked: 0, live: {} as LiveBundle };
    bundle.live = {
      loaded: { version: `v-${this.bundles.length}` },
      close: () => {
        bundle.closeAsked += 1;
        if (bundle.uses > 0) this.mistakes.push('a bundle is closed while someone works with it');
        if (bundle === this.current) this.mistakes.push('the live bundle is closed');
        return this.closings.begin('close', () => undefined);
      },
    } as LiveBundle;
    this.bundles.push(bundle);
    this.current = bundle;
    this.host.replace(bundle.live);
  }

  use(): void {
    const expected = this.current;
    const done = this.host.use(async (live) => {
      if (live !== expected?.live) this.mistakes.push('someone works with a bundle that was not live');
      if (expected !== null) expected.uses += 1;
      try {
        return await this.work.begin('work', () => 'done');
      } finally {
        if (expected !== null) expected.uses -= 1;
      }
    });
    void done.then(
      () => (expected === null ? this.mistakes.push('there was no bundle to work with') : null),
      (error: Error & { type?: string; code?: string }) => {
        const expectedError = expected === null ? error.type === 'Unreachable' : error.code === 'ECONNRESET';
        if (!expectedError) this.mistakes.push(`work failed for no reason: ${error.message}`);
      },
    );
  }

  close(): void {
    this.current = null;
    this.closing = true;
    void this.host.close().then(() => {
      this.closed = true;
    });
  }

  check(): readonly string[] {
    if (this.host.current() !== (this.current?.live ?? null)) this.mistakes.push('another bundle is live');
    for (const bundle of this.bundles) {
      const due = bundle !== this.current && bundle.uses === 0 ? 1 : 0;
      if (bundle.closeAsked !== due) this.mistakes.push(`closed ${bundle.closeAsked} times, not ${due}`);
    }
    const busy = this.work.open.length + this.closings.open.length > 0;
    if (this.closing && this.closed === busy)
      this.mistakes.push(busy ? 'close ended before what was under way' : 'close never ends');
    return this.mistakes;
  }

  get isClosing(): boolean {
    return this.closing;
  }
}

type Step = fc.AsyncCommand<HostWorld, null>;

function step(name: string, possible: (world: HostWorld) => boolean, act: (world: HostWorld) => void): Step {
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

const open = ({ isClosing }: HostWorld): boolean => !isClosing;
const pick = fc.nat({ max: 3 });
const endOne = (calls: 'work' | 'closings', index: number, how: 'answer' | 'fail'): Step =>
  step(
    `${how} ${calls} ${index}`,
    (world) => world[calls].open.length > index,
    (world) => world[calls].open[index]?.[how](),
  );

const anyStep = fc.oneof(
  { weight: 3, arbitrary: fc.constant(step('use', open, (world) => world.use())) },
  { weight: 2, arbitrary: fc.constant(step('replace', open, (world) => world.replace())) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(fc.constant('work' as const), pick, fc.constantFrom('answer', 'fail'))
      .map((of) => endOne(...of)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constant('closings' as const), pick, fc.constantFrom('answer', 'fail'))
      .map((of) => endOne(...of)),
  },
  { weight: 1, arbitrary: fc.constant(step('close', open, (world) => world.close())) },
);

describe('the host of the live bundle', () => {
  it('closes a bundle once, when nobody works with it any more, and is closed when all of them are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.commands([anyStep], { maxCommands: 40, size: 'max' }), async (steps) => {
        const world = new HostWorld(createBundleHost(pino({ level: 'silent' })));
        await fc.asyncModelRun(() => ({ model: world, real: null }), steps);
        if (!world.isClosing) await step('close', open, (w) => w.close()).run(world, null);
        while (world.work.open.length > 0) await endOne('work', 0, 'answer').run(world, null);
        while (world.closings.open.length > 0) await endOne('closings', 0, 'answer').run(world, null);
      }),
      seeded(300),
    );
  }, 60_000);
});
