import { expect, it } from 'vitest';
import type { RecomposeActivities, Replacement } from '../../activities/bundle/contract.js';
import type { BundleId } from '../../domain/bundle/id.js';

export interface RecomposeWorld {
  activities: RecomposeActivities;
  model: string;
  /** a bundle whose lookups are as of 30 June 2025, or whose thresholds are the first ones */
  live: BundleId;
  /** stores an artifact; equal content for an equal number. @param asOf the end of its window, where it has one */
  store: (asOf: string, content: number) => Promise<Replacement>;
}

type Input = Parameters<RecomposeActivities['recomposeBundle']>[0];
const NIGHT = '2025-07-01T00:00:00.000Z';

function changeOf({ model, live }: RecomposeWorld, replacements: Replacement[], changes: Partial<Input> = {}): Input {
  return {
    model,
    releaseId: 'change-1',
    base: { version: live.version, manifestSha256: live.manifestSha256 },
    replacements,
    gitSha: 'f'.repeat(40),
    createdAt: '2025-07-01T01:00:00.000Z',
    ...changes,
  };
}

const integrityError = async (answer: () => Promise<unknown>): Promise<void> => {
  await expect((async () => answer())()).rejects.toSatisfy(
    (error: { type?: string; name: string }) => (error.type ?? error.name) === 'IntegrityError',
  );
};

/** What every recomposition must do, the one over S3 and those that tests use. */
export function recomposeContract(make: () => Promise<RecomposeWorld>): void {
  it('makes a bundle whose parent is the live one, and answers the same again', async () => {
    const world = await make();
    const replacement = await world.store(NIGHT, 2);
    const input = changeOf(world, [replacement]);
    const made = await world.activities.recomposeBundle(input);
    expect(made).toMatchObject({
      replaced: [replacement.file],
      kept: [],
      bundle: { parentVersion: world.live.version },
    });
    expect(made.bundle?.version).not.toBe(world.live.version);
    expect(await world.activities.recomposeBundle(input)).toEqual(made);
  });

  it('makes none where the content is there already, and says so', async () => {
    const world = await make();
    const replacement = await world.store(NIGHT, 2);
    const { bundle } = await world.activities.recomposeBundle(changeOf(world, [replacement]));
    const again = changeOf(world, [replacement], { releaseId: 'change-2', base: bundle as BundleId });
    const { version, manifestSha256 } = bundle as BundleId;
    expect(await world.activities.recomposeBundle({ ...again, base: { version, manifestSha256 } })).toMatchObject({
      bundle: null,
      replaced: [],
      kept: [{ file: replacement.file, state: 'unchanged' }],
    });
  });

  it('makes none where nothing is to be replaced', async () => {
    const world = await make();
    expect(await world.activities.recomposeBundle(changeOf(world, []))).toEqual({
      bundle: null,
      replaced: [],
      kept: [],
    });
  });

  it('refuses a base or an object that does not exist', async () => {
    const world = await make();
    const replacement = await world.store(NIGHT, 2);
    const base = { ...world.live, version: '20200101-000000-1.0.0-0a1b2c3' };
    await integrityError(() => world.activities.recomposeBundle(changeOf(world, [replacement], { base })));
    const missing = { ...replacement, objectKey: `${replacement.objectKey}.none` };
    await integrityError(() => world.activities.recomposeBundle(changeOf(world, [missing])));
  });
}

/** What further holds for lookups, which have a time. */
export function recomposeLookupsContract(make: () => Promise<RecomposeWorld>): void {
  it('leaves a newer lookup alone', async () => {
    const world = await make();
    const older = await world.store('2025-06-29T00:00:00.000Z', 2);
    expect(await world.activities.recomposeBundle(changeOf(world, [older]))).toMatchObject({
      bundle: null,
      replaced: [],
      kept: [{ file: older.file, state: 'older' }],
    });
  });
}
