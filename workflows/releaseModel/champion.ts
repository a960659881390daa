import type { ModelRef } from '../../domain/release/types.js';
import { shortCalls } from '../common/proxies.js';

/**
 * The registry follows what is live: the model's version is the champion, former ones are archived. Says in one line how that ended.
 * @param live the bundle that went live with this version, and the pointer's generation then
 */
export async function becomeChampion(
  of: ModelRef,
  modelVersion: string,
  live: { version: string; generation: number },
): Promise<string> {
  await shortCalls.tagModelVersion({
    ...of,
    modelVersion,
    tags: { 'sluice.bundle': live.version, 'sluice.generation': String(live.generation) },
  });
  const pointer = await shortCalls.readPointer({ model: of.model, environment: 'production' });
  if (pointer?.generation !== live.generation) {
    // A newer change went live between our rollout and here: the aliases are its to set.
    await shortCalls.setStage({ ...of, modelVersion, stage: 'Archived' });
    return `${pointer?.version} has gone live since`;
  }
  await shortCalls.setAlias({ ...of, alias: 'champion', modelVersion });
  const { production, challenger } = await shortCalls.registryState(of);
  if (challenger === modelVersion) await shortCalls.setAlias({ ...of, alias: 'challenger', modelVersion: null });
  for (const former of production.filter((version) => version !== modelVersion))
    await shortCalls.setStage({ ...of, modelVersion: former, stage: 'Archived' });
  return `version ${modelVersion}`;
}
