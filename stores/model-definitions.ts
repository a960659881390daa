import { canonicalJson, sha256Hex } from '../domain/bundle/digest.js';
import { SluiceError } from '../platform/errors.js';
import { modelOfFiles, type LoadedModel, type Models } from '../platform/models.js';
import type { ObjectStore } from '../platform/object-store.js';
import { definitionKey } from './keys.js';

type Store = Pick<ObjectStore, 'get' | 'putIfAbsent' | 'bucket' | 'endpoint'>;

/** A model as a run began with it. */
export interface DefinedModels {
  /**
   * The model as the folder has it now, or as it was kept under this digest.
   * @throws SluiceError as `loadModel` does; IntegrityError where what is kept is gone or is not what the digest says
   */
  load(model: string, definition?: string): Promise<LoadedModel>;
}

/** Keeps what a model's folder says now, once however often; the digest names it from then on. */
export async function keepDefinition(store: Store, model: string, loaded: Pick<LoadedModel, 'files'>): Promise<string> {
  const bytes = canonicalJson({ model, files: loaded.files });
  const digest = sha256Hex(bytes);
  await store.putIfAbsent(definitionKey(model, digest), bytes, 'application/json');
  return digest;
}

/** The folder's models, and those that were kept. The last one of each model that was kept is not read again. */
export function withDefinitions(models: Pick<Models, 'load'>, store: Store): DefinedModels {
  const last = new Map<string, { definition: string; loaded: LoadedModel }>();
  return {
    async load(model, definition) {
      if (definition === undefined) return models.load(model);
      const known = last.get(model);
      if (known?.definition === definition) return known.loaded;
      const loaded = await readDefinition(store, model, definition);
      last.set(model, { definition, loaded });
      return loaded;
    },
  };
}

async function readDefinition(store: Store, model: string, definition: string): Promise<LoadedModel> {
  const key = definitionKey(model, definition);
  const found = await store.get(key);
  if (found === null || sha256Hex(found.bytes) !== definition)
    throw new SluiceError(
      'IntegrityError',
      `${key} in ${store.bucket} at ${store.endpoint} ${found === null ? 'is gone' : 'was changed'}: a release runs on the model's folder as it was when it started. Start the release again.`,
    );
  const { files } = JSON.parse(found.bytes.toString('utf8')) as { files: Record<string, string> };
  return modelOfFiles(model, files);
}
