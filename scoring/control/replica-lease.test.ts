import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { LEASE_MS, LeaseWorld, RENEW_MS, type Life } from '../../test/support/lease-world.js';
import { settle } from '../../test/support/pending-calls.js';
import { seeded } from '../../test/support/seeded.js';
import { timedStep, useStillTime } from '../../test/support/timed-steps.js';

useStillTime();

type Step = fc.AsyncCommand<LeaseWorld, null>;

const step = timedStep<LeaseWorld>;

/** The same for one of the processes that run, if it is in that state. */
function lifeStep(
  name: string,
  which: number,
  possible: (life: Life) => boolean,
  act: (life: Life, world: LeaseWorld) => unknown,
) {
  const chosen = (world: LeaseWorld): Life | null => {
    const life = world.running()[which];
    return life !== undefined && possible(life) ? life : null;
  };
  return step(
    `${name} ${which}`,
    (world) => chosen(world) !== null,
    (world) => {
      const life = chosen(world);
      return life === null ? null : act(life, world);
    },
  );
}

const underWay = ({ calls }: Life): boolean => calls.open.length > 0;
const end = (how: 'answer' | 'fail', which: number): Step =>
  lifeStep(how, which, underWay, (life, world) =>
    life.calls.open.slice(0, 1).forEach((call) => world.end(life, call, how)),
  );
const pass = (ms: number): Step =>
  step(
    `${ms} ms pass`,
    () => true,
    () => vi.advanceTimersByTime(ms),
  );
const staying = ({ leaveAsked }: Life): boolean => !leaveAsked;
const any = fc.nat({ max: 1 });

const anyStep = fc.oneof(
  { weight: 10, arbitrary: any.map((which) => end('answer', which)) },
  { weight: 2, arbitrary: any.map((which) => end('fail', which)) },
  {
    weight: 3,
    arbitrary: any.map((which) => lifeStep('reach', which, underWay, ({ calls }) => calls.open[0]?.reach())),
  },
  { weight: 3, arbitrary: fc.constantFrom(RENEW_MS, LEASE_MS - RENEW_MS, LEASE_MS, 500).map(pass) },
  {
    weight: 2,
    arbitrary: fc.nat({ max: 4 }).map((g) =>
      step(
        `start with ${g}`,
        (world) => world.running().length < 2,
        (world) => world.startLife(g),
      ),
    ),
  },
  { weight: 2, arbitrary: any.map((which) => lifeStep('load', which, staying, (life, world) => world.load(life))) },
  {
    weight: 1,
    arbitrary: fc.constant(
      step(
        'another loads',
        () => true,
        (world) => world.otherLoads(),
      ),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constant(
      step(
        'load after leaving',
        ({ lives }) => lives.some(({ left }) => left),
        (world) => world.lives.filter(({ left }) => left).forEach((life) => world.load(life)),
      ),
    ),
  },
  { weight: 1, arbitrary: any.map((which) => lifeStep('leave', which, staying, (life, world) => world.leave(life))) },
  {
    weight: 1,
    arbitrary: any.map((which) =>
      lifeStep('freeze', which, staying, (life) => {
        life.frozen = true;
      }),
    ),
  },
);

async function answerAll(world: LeaseWorld): Promise<void> {
  await settle();
  while (world.running().some(underWay))
    for (const which of [0, 1]) {
      const step = end('answer', which);
      if (step.check(world)) await step.run(world, null);
    }
}

describe("a replica's lease", () => {
  it('is never believed in longer than the database keeps it, and is gained again', async () => {
    const histories = fc.commands([anyStep], { maxCommands: 100, size: 'max' });
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        vi.clearAllTimers();
        const world = new LeaseWorld();
        await fc.asyncModelRun(() => ({ model: world, real: null }), steps);

        // Whatever happened: once all is well and one process is left, it holds a lease, keeps it, and takes it along when it leaves.
        await answerAll(world);
        if (world.running().length === 0) world.startLife(1);
        for (const life of world.running().slice(1)) world.leave(life);
        await answerAll(world);
        for (let passed = 0; passed <= LEASE_MS + 2 * RENEW_MS; passed += RENEW_MS / 2) {
          await pass(RENEW_MS / 2).run(world, null);
          await answerAll(world);
        }
        const [life] = world.running();
        expect(life?.lease.status().registry).toBe('joined');
        expect(world.holder()).toBe(life?.instance);
        if (life !== undefined) world.leave(life);
        await answerAll(world);
        expect(world.running()).toEqual([]);
        expect(world.holder()).toBeNull();
        expect(world.check()).toEqual([]);
      }),
      seeded(200),
    );
  }, 60_000);
});
