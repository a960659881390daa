import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { PointerActivities } from '../../activities/pointer/contract.js';
import type { BundleId } from '../../domain/bundle/id.js';

export interface PointerWorld {
  activities: PointerActivities;
  model: string;
  /** three that are published */
  bundles: readonly [BundleId, BundleId, BundleId];
}

/** What every pointer must do, the one in S3 and the one that tests use. @param make without a pointer, in any environment */
export function pointerContract(make: () => Promise<PointerWorld>): void {
  const changeOf = (
    { model }: PointerWorld,
    bundle: BundleId,
    expectedGeneration: number,
    changes: { environment?: string; putId?: string } = {},
  ): Parameters<PointerActivities['swapPointer']>[0] => ({
    model,
    environment: 'production',
    bundle,
    expectedGeneration,
    releaseId: `release-${expectedGeneration}`,
    putId: randomUUID(),
    actor: 'ada',
    reason: 'a test',
    updatedAt: '2025-06-30T12:00:00.000Z',
    ...changes,
  });

  it('writes what the change says, a generation at a time, undo included', async () => {
    const world = await make();
    const { activities, model, bundles } = world;
    const [a, b] = bundles;
    expect(await activities.readPointer({ model, environment: 'production' })).toBeNull();
    const change = { kind: 'thresholds' as const, decided_by: 'bo' };
    const first = await activities.swapPointer({ ...changeOf(world, a, 0, { putId: 'put-1' }), change });
    expect(first).toEqual({
      outcome: 'swapped',
      pointer: {
        model,
        environment: 'production',
        version: a.version,
        manifest_sha256: a.manifestSha256,
        generation: 1,
        candidate: null,
        release_id: 'release-0',
        put_id: 'put-1',
        previous_version: null,
        actor: 'ada',
        reason: 'a test',
        updated_at: '2025-06-30T12:00:00.000Z',
        change,
      },
    });
    expect(await activities.readPointer({ model, environment: 'production' })).toEqual(first.pointer);
    await activities.swapPointer(changeOf(world, b, 1));
    const undone = await activities.swapPointer(changeOf(world, a, 2));
    expect(undone.pointer).toMatchObject({ version: a.version, generation: 3, previous_version: b.version });
    expect(undone.pointer).not.toHaveProperty('change');
  });

  it('refuses an expectation that is not so, and says what is', async () => {
    const world = await make();
    const [a, b] = world.bundles;
    expect(await world.activities.swapPointer(changeOf(world, a, 1))).toEqual({ outcome: 'lost', pointer: null });
    const { pointer } = await world.activities.swapPointer(changeOf(world, a, 0));
    for (const expected of [0, 2, 7])
      expect(await world.activities.swapPointer(changeOf(world, b, expected))).toEqual({ outcome: 'lost', pointer });
  });

  it('knows its own change again, until another has gone over it', async () => {
    const world = await make();
    const [a, b] = world.bundles;
    const mine = changeOf(world, a, 0);
    const { pointer } = await world.activities.swapPointer(mine);
    expect(await world.activities.swapPointer(mine)).toEqual({ outcome: 'already', pointer });
    const next = await world.activities.swapPointer(changeOf(world, b, 1));
    expect(await world.activities.swapPointer(mine)).toEqual({ outcome: 'lost', pointer: next.pointer });
  });

  it('has one winner among rivals', async () => {
    const world = await make();
    const outcomes = await Promise.all(
      [0, 1, 2, 0, 1].map((i) => world.activities.swapPointer(changeOf(world, world.bundles[i] as BundleId, 0))),
    );
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['lost', 'lost', 'lost', 'lost', 'swapped']);
  });

  it('keeps the environments apart, and knows no other', async () => {
    const world = await make();
    const { activities, model, bundles } = world;
    const [a, b] = bundles;
    await activities.swapPointer(changeOf(world, a, 0));
    expect(await activities.readPointer({ model, environment: 'staging' })).toBeNull();
    expect(await activities.swapPointer(changeOf(world, b, 0, { environment: 'staging' }))).toMatchObject({
      outcome: 'swapped',
      pointer: { environment: 'staging', generation: 1, previous_version: null },
    });
    expect(await activities.readPointer({ model, environment: 'production' })).toMatchObject({ version: a.version });
    const unknown = { type: 'InvalidInput' };
    await expect(activities.readPointer({ model, environment: 'prod' })).rejects.toMatchObject(unknown);
    await expect(activities.swapPointer(changeOf(world, a, 0, { environment: 'prod' }))).rejects.toMatchObject(unknown);
  });

  it('never names a bundle that is not there, or not the one that is meant', async () => {
    const world = await make();
    const [a, b] = world.bundles;
    const missing = { version: '20200101-000000-1.0.0-0a1b2c3', manifestSha256: a.manifestSha256 };
    const another = { version: a.version, manifestSha256: b.manifestSha256 };
    for (const bundle of [missing, another])
      await expect((async () => world.activities.swapPointer(changeOf(world, bundle, 0)))()).rejects.toSatisfy(
        (error: { type?: string; name: string }) => (error.type ?? error.name) === 'IntegrityError',
      );
    expect(await world.activities.readPointer({ model: world.model, environment: 'production' })).toBeNull();
  });
}
