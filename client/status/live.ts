import type { Settings } from '../../platform/config.js';
import { loadTrustedKeys } from '../../platform/keys.js';
import { modelFolders } from '../../platform/model-folders.js';
import { fetchPointer } from '../../stores/pointers.js';
import type { Environment } from '../../workflows/rolloutBundle/contract.js';
import { usingStore } from '../stores.js';

/** What a pointer makes live, and since when. */
export interface LiveBundle {
  model: string;
  environment: Environment;
  version: string;
  generation: number;
  /** ISO */
  since: string;
  /** who made it live, and why */
  actor: string;
  reason: string;
}

const ENVIRONMENTS: readonly Environment[] = ['production', 'staging'];

/** The live bundle of every model that has one, by the pointers in the bucket; their signatures are checked. */
export function liveBundles(settings: Settings, modelsDirectory: string): Promise<LiveBundle[]> {
  return usingStore(settings, async (store) => {
    const keys = await loadTrustedKeys(settings.SLUICE_TRUSTED_KEYS_FILE);
    const wanted = modelFolders(modelsDirectory).flatMap((model) =>
      ENVIRONMENTS.map((environment) => ({ model, environment })),
    );
    const found = await Promise.all(
      wanted.map(async ({ model, environment }): Promise<LiveBundle[]> => {
        const file = await fetchPointer(store, keys, { model, environment });
        if (file === null) return [];
        const { version, generation, updated_at: since, actor, reason } = file.pointer;
        return [{ model, environment, version, generation, since, actor, reason }];
      }),
    );
    return found.flat();
  });
}
