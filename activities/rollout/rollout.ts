import type { Db } from 'mongodb';
import { bundleKey, bundlesPrefix } from '../../domain/bundle/layout.js';
import { lastGood, type VerdictRecord } from '../../domain/release/last-good.js';
import type { ObjectStore } from '../../platform/object-store.js';
import { SluiceError } from '../../platform/errors.js';
import type { PointerActivities, RolloutActivities } from '../contract.js';
import { createHash } from 'node:crypto';

interface VerdictDocument extends VerdictRecord {
  _id: string;
  model: string;
  environment: string;
  why: string;
  at: string;
}

/** What a rollback needs to know of the past: `rollout_verdicts` in Mongo, and the bundles themselves in S3. */
export function createRolloutActivities(deps: {
  db: Db;
  objectStore: Pick<ObjectStore, 'get' | 'list'>;
  readPointer: PointerActivities['readPointer'];
}): RolloutActivities {
  const verdicts = deps.db.collection<VerdictDocument>('rollout_verdicts');
  return {
    async recordVerdict({ model, environment, generation, ...rest }) {
      const _id = `${model}/${environment}/${generation}`;
      await verdicts.updateOne({ _id }, { $set: { model, environment, generation, ...rest } }, { upsert: true });
    },

    async lastGoodBundle({ model, environment }) {
      const live = await deps.readPointer({ model, environment });
      if (live === null) return null;
      const found = lastGood(await verdicts.find({ model, environment }).toArray(), live);
      return found === null ? null : { version: found.version, manifestSha256: found.manifestSha256 };
    },

    async findBundle({ model, version }) {
      const manifest = await deps.objectStore.get(bundleKey(model, version, 'manifest.json'));
      if (manifest !== null)
        return { version, manifestSha256: createHash('sha256').update(manifest.bytes).digest('hex') };
      const known = await knownVersions(deps.objectStore, model);
      throw new SluiceError(
        'NotFound',
        `no bundle ${version} of ${model}; ${known.length === 0 ? 'there are none yet' : `the newest are ${known.slice(-10).join(', ')}`}`,
      );
    },
  };
}

/** Versions whose manifest is written, that is, which are complete, oldest first. */
async function knownVersions(store: Pick<ObjectStore, 'list'>, model: string): Promise<string[]> {
  const keys = await store.list(bundlesPrefix(model));
  return keys
    .map(({ key }) => key)
    .filter((key) => key.endsWith('/manifest.json'))
    .map((key) => key.split('/').at(-2) as string)
    .sort();
}
