import { shortCalls } from '../common/proxies.js';

/** Champion and Production name what is live; the version that was rolled back is archived and says why. */
export async function followInRegistry(model: string, modelVersion: string, generation: number): Promise<void> {
  const { production } = await shortCalls.registryState({ model });
  await shortCalls.setStage({ model, modelVersion, stage: 'Production' });
  await shortCalls.setAlias({ model, alias: 'champion', modelVersion });
  for (const former of production.filter((version) => version !== modelVersion)) {
    await shortCalls.setStage({ model, modelVersion: former, stage: 'Archived' });
    await shortCalls.tagModelVersion({
      model,
      modelVersion: former,
      tags: { 'sluice.rolled_back_at_generation': String(generation) },
    });
  }
}
