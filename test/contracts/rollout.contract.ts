import { expect, it } from 'vitest';
import type { RolloutActivities } from '../../activities/rollout/contract.js';
import type { BundleId } from '../../domain/bundle/id.js';

export interface RolloutWorld {
  activities: RolloutActivities;
  model: string;
  /** three that are published, oldest first */
  bundles: readonly [BundleId, BundleId, BundleId];
  /** puts a bundle live, in production */
  goLive(bundle: BundleId): Promise<void>;
}

/** What every record of rollouts must do, the one in MongoDB and S3 and the one that tests use. @param make nothing live, nothing on record */
export function rolloutContract(make: () => Promise<RolloutWorld>): void {
  const record = ({ activities, model }: RolloutWorld, generation: number, bundle: BundleId, verdict: string) =>
    activities.recordVerdict({
      model,
      environment: 'production',
      generation,
      ...bundle,
      verdict,
      why: 'a test',
      at: '2025-06-30T12:00:00.000Z',
    });

  it('has no last good bundle before two were live', async () => {
    const world = await make();
    const { activities, model, bundles } = world;
    const where = { model, environment: 'production' };
    expect(await activities.lastGoodBundle(where)).toBeNull();
    await world.goLive(bundles[0]);
    await record(world, 1, bundles[0], 'Successful');
    expect(await activities.lastGoodBundle(where)).toBeNull();
  });

  it('goes back to the newest bundle with a good verdict; the last verdict on a generation stands', async () => {
    const world = await make();
    const { activities, model, bundles } = world;
    const [a, b, c] = bundles;
    for (const bundle of bundles) await world.goLive(bundle);
    await record(world, 1, a, 'Successful');
    await record(world, 2, b, 'Failed');
    await record(world, 3, c, 'Successful');
    const where = { model, environment: 'production' };
    expect(await activities.lastGoodBundle(where)).toEqual(a);
    await record(world, 2, b, 'Successful');
    expect(await activities.lastGoodBundle(where)).toEqual(b);
    await record(world, 2, b, 'Failed');
    expect(await activities.lastGoodBundle(where)).toEqual(a);
    expect(await activities.lastGoodBundle({ model, environment: 'staging' })).toBeNull();
  });

  it('finds a bundle by its version, or says that there is none', async () => {
    const { activities, model, bundles } = await make();
    expect(await activities.findBundle({ model, version: bundles[1].version })).toEqual(bundles[1]);
    await expect((async () => activities.findBundle({ model, version: 'none' }))()).rejects.toMatchObject({
      type: 'NotFound',
    });
  });
}
