import { expect, it } from 'vitest';
import type { RegistryActivities } from '../../activities/registry/contract.js';

export interface RegistryWorld {
  activities: RegistryActivities;
  model: string;
  /** a run that was tracked and is not registered */
  run(): Promise<string>;
}

/** What every registry of models must do, MLflow's and the one that tests use. @param make with nothing registered */
export function registryContract(make: () => Promise<RegistryWorld>): void {
  const register = async ({ activities, model, run }: RegistryWorld, runId?: string) =>
    activities.register({
      model,
      runId: runId ?? (await run()),
      releaseId: 'r-1',
      dataSnapshotId: 's-1',
      gitSha: '0a1b2c3',
      metrics: { auc_pr: 0.79, recall: null },
    });

  it('registers a run once, as challenger in Staging', async () => {
    const world = await make();
    const runId = await world.run();
    const first = await register(world, runId);
    expect(first).toEqual({ modelVersion: '1' });
    expect(await register(world, runId)).toEqual(first);
    expect(await world.activities.registryState({ model: world.model })).toEqual({
      champion: null,
      challenger: '1',
      production: [],
    });
    expect(await register(world)).toEqual({ modelVersion: '2' });
    expect(await world.activities.registryState({ model: world.model })).toMatchObject({ challenger: '2' });
  });

  it('leaves a version that went on where it is, when its run is registered again', async () => {
    const world = await make();
    const { activities, model } = world;
    const runId = await world.run();
    const { modelVersion } = await register(world, runId);
    await activities.setStage({ model, modelVersion, stage: 'Production' });
    await activities.setAlias({ model, alias: 'champion', modelVersion });
    await activities.setAlias({ model, alias: 'challenger', modelVersion: null });
    const state = { champion: modelVersion, challenger: null, production: [modelVersion] };
    expect(await activities.registryState({ model })).toEqual(state);
    expect(await register(world, runId)).toEqual({ modelVersion });
    expect(await activities.registryState({ model })).toEqual(state);
  });

  it('moves stages one by one: what was in Production stays there until it is moved', async () => {
    const world = await make();
    const { activities, model } = world;
    const [a, b] = [(await register(world)).modelVersion, (await register(world)).modelVersion];
    await activities.setStage({ model, modelVersion: a, stage: 'Production' });
    await activities.setStage({ model, modelVersion: b, stage: 'Production' });
    expect((await activities.registryState({ model })).production.sort()).toEqual([a, b]);
    await activities.setStage({ model, modelVersion: a, stage: 'Archived' });
    expect((await activities.registryState({ model })).production).toEqual([b]);
  });

  it('takes an alias away that is not there, and refuses versions that are not', async () => {
    const world = await make();
    const { activities, model } = world;
    await register(world);
    await activities.setAlias({ model, alias: 'champion', modelVersion: null });
    expect(await activities.registryState({ model })).toMatchObject({ champion: null, challenger: '1' });
    const missing = { model, modelVersion: '7' };
    await expect(activities.setStage({ ...missing, stage: 'Archived' })).rejects.toMatchObject({ type: 'NotFound' });
    await expect(activities.setAlias({ ...missing, alias: 'champion' })).rejects.toMatchObject({ type: 'NotFound' });
    await expect(activities.tagModelVersion({ ...missing, tags: { a: '1' } })).rejects.toMatchObject({
      type: 'NotFound',
    });
  });
}
