import type { Db } from 'mongodb';
import type { TrustedKeys } from '../domain/dsse/dsse.js';
import { lastGood, type VerdictRecord } from '../domain/release/last-good.js';
import type { ObjectStore } from '../platform/object-store.js';
import { COLLECTIONS, openCollection } from './collections.js';
import { fetchPointer } from './pointers.js';
import type { BundleId } from '../domain/bundle/id.js';

export interface VerdictDocument extends VerdictRecord {
  _id: string;
  model: string;
  environment: string;
  why: string;
  at: string;
}

export interface RolloutVerdicts {
  /** Once per model, environment and generation; the last one written stands. */
  record(verdict: Omit<VerdictDocument, '_id'>): Promise<void>;
  /** How a generation's smoke ended; null: nobody has smoked it. */
  of(where: { model: string; environment: string; generation: number }): Promise<string | null>;
  /** The newest bundle that was live and smoked before the live one first was; null when there is none. */
  lastGood(where: { model: string; environment: string }): Promise<BundleId | null>;
}

/** What a rollback needs to know of the past: the collection `rollout_verdicts`, seen from what is live now. */
export function createRolloutVerdicts(deps: {
  db: Db;
  store: Pick<ObjectStore, 'get'>;
  trustedKeys: TrustedKeys;
}): RolloutVerdicts {
  const verdicts = openCollection(deps.db, COLLECTIONS.rolloutVerdicts);
  return {
    async record({ model, environment, generation, ...rest }) {
      const _id = `${model}/${environment}/${generation}`;
      await verdicts.updateOne({ _id }, { $set: { model, environment, generation, ...rest } }, { upsert: true });
    },

    async of({ model, environment, generation }) {
      const found = await verdicts.findOne({ _id: `${model}/${environment}/${generation}` });
      return found?.verdict ?? null;
    },

    async lastGood({ model, environment }) {
      const live = await fetchPointer(deps.store, deps.trustedKeys, { model, environment });
      if (live === null) return null;
      const found = lastGood(await verdicts.find({ model, environment }).toArray(), live.pointer);
      return found === null ? null : { version: found.version, manifestSha256: found.manifestSha256 };
    },
  };
}
