import { gunzipSync } from 'node:zlib';
import { SluiceError } from '../../platform/errors.js';
import type { Models } from '../../platform/models.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { publishLookupFile } from '../../stores/expert-files/publish.js';
import { MAX_FILE_BYTES } from '../../stores/expert-files/read.js';
import type { ExpertFileActivities } from './contract.js';

export interface ExpertFileDeps {
  store: ObjectStore;
  models: Pick<Models, 'load'>;
}

export function createExpertFileActivities({ store, models }: ExpertFileDeps): ExpertFileActivities {
  return {
    async publishExpertFile({ model: name, lookup, packed, base, by, at }) {
      const model = await models.load(name);
      if (!Object.hasOwn(model.staticLookups, lookup))
        throw new SluiceError(
          'InvalidInput',
          `/lookup: ${name} has no table ${JSON.stringify(lookup)}; it has ${Object.keys(model.staticLookups).join(', ') || 'none'}`,
        );
      return publishLookupFile(store, model, lookup, unpack(packed), {
        ...by,
        at,
        ...(base === undefined ? {} : { base }),
      });
    },
  };
}

function unpack(packed: string): Buffer {
  try {
    return gunzipSync(Buffer.from(packed, 'base64'), { maxOutputLength: MAX_FILE_BYTES + 1 });
  } catch (error) {
    throw new SluiceError(
      'InvalidInput',
      `/packed is not a gzip of at most ${MAX_FILE_BYTES / 1024 / 1024} MB in base64: ${(error as Error).message}`,
    );
  }
}
