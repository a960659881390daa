import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pointer } from '../../schemas/types.js';
import { SluiceError } from '../../platform/errors.js';
import { seeded } from '../../test/support/seeded.js';
import type { CatchUp } from './pointer-follower.js';
import { createReplicaActivities } from './replica-activities.js';

type Held = { pointer: Pointer; loadedInMs: number } | null;

const held = (generation: number, bundle: string): Held => ({
  pointer: { generation, version: `v-${bundle}`, manifest_sha256: `m-${bundle}` } as Pointer,
  loadedInMs: 12,
});
const asked = (generation: number, bundle: string) => ({
  model: 'tiny',
  environment: 'production' as const,
  generation,
  version: `v-${bundle}`,
  manifestSha256: `m-${bundle}`,
});

/** A replica that holds one bundle, and after a catch-up another or what made it fail. */
function replica(before: Held, after: Held | Error) {
  let now = before;
  let catchUps = 0;
  const activities = createReplicaActivities({
    replicaId: 'r-1',
    model: 'tiny',
    environment: 'production',
    heartbeat: () => undefined,
    follower: {
      held: () => now,
      catchUp: (): Promise<CatchUp> => {
        catchUps += 1;
        if (after instanceof Error) return Promise.reject(after);
        now = after;
        return Promise.resolve(
          now === null
            ? { outcome: 'nothing-published' }
            : { outcome: 'loaded', live: now.pointer, loadedInMs: now.loadedInMs },
        );
      },
    },
  });
  return { activities, catchUps: () => catchUps };
}

const failure = (work: Promise<unknown>): Promise<SluiceError> =>
  work.then(
    () => expect.fail('a receipt was given'),
    (error: unknown) => error as SluiceError,
  );

describe('an order to reload', () => {
  it('is answered with a receipt for exactly what was asked for, or not at all', async () => {
    const generation = fc.integer({ min: 1, max: 4 });
    const bundle = fc.constantFrom('a', 'b');
    const holding = fc.option(fc.tuple(generation, bundle), { freq: 4 });
    const situation = fc.record({
      before: holding,
      later: holding,
      broken: fc.boolean(),
      order: fc.tuple(generation, bundle),
    });
    await fc.assert(
      fc.asyncProperty(situation, async ({ before, later, broken, order }) => {
        // A follower never goes back: what it holds after a catch-up is what it held, or newer.
        const after = before !== null && (later === null || later[0] <= before[0]) ? before : later;
        const { activities, catchUps } = replica(
          before && held(...before),
          broken ? new SluiceError('Unreachable', 'S3 is down') : after && held(...after),
        );
        const answer = activities.reload(asked(...order));
        const asks = before === null || before[0] < order[0];
        const final = asks && !broken ? after : before;

        if (asks && broken) expect(await failure(answer)).toMatchObject({ type: 'Unreachable' });
        else if (final === null || final[0] < order[0])
          expect(await failure(answer)).toMatchObject({ type: 'ReloadFailed' });
        else if (final[0] > order[0]) expect(await failure(answer)).toMatchObject({ type: 'Superseded' });
        else if (final[1] !== order[1]) expect(await failure(answer)).toMatchObject({ type: 'IntegrityError' });
        else {
          const { generation, version, manifestSha256 } = asked(...order);
          expect(await answer).toEqual({ replicaId: 'r-1', generation, version, manifestSha256, loadedInMs: 12 });
        }
        expect(catchUps(), 'it reads the pointer only for what it does not hold yet').toBe(asks ? 1 : 0);
      }),
      seeded(300),
    );
  }, 60_000);

  it('takes a bundle of the same version with another manifest for another', async () => {
    const { activities } = replica(held(1, 'a'), null);
    const error = await failure(activities.reload({ ...asked(1, 'a'), manifestSha256: 'm-b' }));
    expect(error).toMatchObject({ type: 'IntegrityError' });
    const other = await failure(activities.reload({ ...asked(1, 'a'), version: 'v-b' }));
    expect(other).toMatchObject({ type: 'IntegrityError' });
  });

  it('for another model or environment is refused without a look at the pointer', async () => {
    const { activities, catchUps } = replica(null, held(1, 'a'));
    for (const wrong of [{ model: 'other' }, { environment: 'staging' as const }]) {
      const error = await failure(activities.reload({ ...asked(1, 'a'), ...wrong }));
      expect(error).toMatchObject({ type: 'InvalidInput' });
    }
    expect(catchUps()).toBe(0);
  });
});
