import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { FollowerWorld, POLL_MS, type Offer } from '../../test/support/follower-world.js';
import { settle } from '../../test/support/pending-calls.js';
import { seeded } from '../../test/support/seeded.js';
import { timedStep, useStillTime } from '../../test/support/timed-steps.js';

useStillTime();

type Step = fc.AsyncCommand<FollowerWorld, null>;

const step = timedStep<FollowerWorld>;

const always = (): boolean => true;
const underWay = ({ calls }: FollowerWorld): boolean => calls.open.length > 0;
const running = ({ life }: FollowerWorld): boolean => !life.stopAsked;
const end = (how: 'answer' | 'fail'): Step =>
  step(how, underWay, (world) => world.calls.open.slice(0, 1).forEach((call) => world.end(call, how)));
const nextTimer = step('the next timer', always, () => vi.advanceTimersToNextTimer());
const storeOffers = (offer: Offer): Step =>
  step(
    `the store offers ${offer}`,
    ({ published }) => published.length > 1,
    (world) => world.offers(offer),
  );
const restart = (diskIsUsable: boolean): Step =>
  step(
    `restart with${diskIsUsable ? '' : 'out'} disk`,
    ({ life }) => life.stopped,
    (world) => world.restart(diskIsUsable),
  );

const anyStep = fc.oneof(
  { weight: 8, arbitrary: fc.constant(end('answer')) },
  { weight: 2, arbitrary: fc.constant(end('fail')) },
  { weight: 2, arbitrary: fc.constant(step('reach', underWay, ({ calls }) => calls.open[0]?.reach())) },
  { weight: 4, arbitrary: fc.constant(step('publish', always, (world) => world.publish())) },
  { weight: 2, arbitrary: fc.constant(step('start', running, (world) => world.start())) },
  { weight: 3, arbitrary: fc.constant(step('nudge', always, (world) => world.nudge())) },
  {
    weight: 3,
    arbitrary: fc.boolean().map((again) => step(`catch up${again ? ' twice' : ''}`, always, (w) => w.catchUp(again))),
  },
  { weight: 2, arbitrary: fc.constant(nextTimer) },
  { weight: 1, arbitrary: fc.constantFrom<Offer>('older', 'forged', 'gone', 'newest').map(storeOffers) },
  {
    weight: 1,
    arbitrary: fc
      .boolean()
      .map((away) => step(`records are ${away ? 'away' : 'back'}`, always, (w) => w.records(away))),
  },
  { weight: 1, arbitrary: fc.constant(step('stop', running, (world) => world.stop())) },
  { weight: 2, arbitrary: fc.boolean().map(restart) },
);

/** Every call is answered, until only a timer is waited for. */
async function answerAll(world: FollowerWorld): Promise<void> {
  while (underWay(world)) await end('answer').run(world, null);
}

describe('a pointer follower', () => {
  it('never goes back, never loads twice, and serves the newest in the end', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const histories = fc.commands([anyStep], { maxCommands: 80, size: 'max' });
    await fc.assert(
      fc.asyncProperty(histories, async (steps) => {
        vi.clearAllTimers();
        const world = new FollowerWorld();
        await fc.asyncModelRun(() => ({ model: world, real: null }), steps);

        // Whatever happened: once all is well again, what is published is served without anybody asking for it.
        await answerAll(world);
        if (world.life.stopAsked) await restart(true).run(world, null);
        world.records(false);
        world.start();
        world.publish();
        for (let rounds = 0; rounds < 2; rounds += 1) {
          await answerAll(world);
          await nextTimer.run(world, null);
        }
        await answerAll(world);
        expect(world.life.served.at(-1)).toBe(world.published.length);
        world.stop();
        await settle();
        expect(world.check()).toEqual([]);
        await world.endLife();
        expect(world.mistakes).toEqual([]);
      }),
      seeded(300),
    );
  }, 60_000);

  it('comes back after a failed round sooner than after a good one, and ever later', async () => {
    const rounds = fc.array(
      fc.record({ ends: fc.constantFrom('well', 'badly'), random: fc.double({ min: 0, max: 0.999, noNaN: true }) }),
      {
        minLength: 1,
        maxLength: 15,
      },
    );
    await fc.assert(
      fc.asyncProperty(rounds, fc.boolean(), async (ends, isPublished) => {
        vi.clearAllTimers();
        const world = new FollowerWorld();
        if (isPublished) world.publish();
        world.start();
        await settle();
        let failures = 0;
        for (const { ends: how, random } of ends) {
          vi.spyOn(Math, 'random').mockReturnValue(random);
          const endedAtMs = Date.now();
          if (how === 'well') {
            while (underWay(world)) {
              world.calls.open[0]?.answer();
              await settle();
            }
            failures = 0;
          } else {
            world.calls.open[0]?.fail();
            await settle();
            failures += 1;
          }
          vi.advanceTimersToNextTimer();
          await settle();
          const pauseMs =
            how === 'well'
              ? isPublished
                ? POLL_MS
                : 5_000
              : Math.min(500 * 2 ** (failures - 1), 30_000) * (0.5 + random);
          expect(Date.now() - endedAtMs).toBe(Math.floor(pauseMs));
        }
      }),
      seeded(100),
    );
  }, 60_000);
});
