import type { Collection, Db } from 'mongodb';
import { COLLECTIONS, openCollection } from './collections.js';

/** A scoring replica as `scoring_replicas` holds it; `_id` is the replica's id. */
export interface ReplicaRecord {
  _id: string;
  /** one start of the process: a restarted replica is another instance under the same id */
  instance: string;
  model: string;
  environment: string;
  /** base URL under which others reach it */
  address: string;
  /** 0 and null until it serves a bundle */
  generation: number;
  version: string | null;
  manifest_sha256: string | null;
  /** by the database's clock, so that replicas with wrong clocks agree on who is alive */
  lease_until: Date;
}

/** The highest generation that was ever reported; `_id` is `{model}/{environment}`. */
export interface GenerationMark {
  _id: string;
  generation: number;
}

/** What a replica says of itself with every renewal. */
export type ReplicaState = Omit<ReplicaRecord, '_id' | 'lease_until'>;

/** Replicas' leases in Mongo. Every comparison of times is made by the database. */
export interface ReplicaRegistry {
  /** Takes the id, whoever held it, with a fresh lease. */
  join(id: string, state: ReplicaState, leaseMs: number): Promise<void>;
  /** Prolongs a lease that has not run out: `lapsed` when it had (or is gone), `taken` when another live instance holds the id. */
  renew(id: string, state: ReplicaState, leaseMs: number): Promise<'renewed' | 'lapsed' | 'taken'>;
  /** Removes the record if this instance still holds it. */
  leave(id: string, instance: string): Promise<void>;
  /** Replicas whose lease is alive, by id. */
  live(model: string, environment: string): Promise<ReplicaRecord[]>;
  /** The highest generation that any replica ever reported, alive, gone or started anew; 0 when none did. It only rises. */
  newestGeneration(model: string, environment: string): Promise<number>;
}

/** @param db the database, or a way to it that may fail now and work later */
export function createReplicaRegistry(db: Db | (() => Promise<Db>)): ReplicaRegistry {
  const replicas = async (): Promise<Collection<ReplicaRecord>> =>
    openCollection(typeof db === 'function' ? await db() : db, COLLECTIONS.replicas);
  const marks = async (): Promise<Collection<GenerationMark>> =>
    openCollection(typeof db === 'function' ? await db() : db, COLLECTIONS.generationMarks);
  /** Before the record that says it: a record may be replaced by one that says less. */
  const raise = async ({ model, environment, generation }: ReplicaState): Promise<void> => {
    if (generation > 0)
      await (await marks()).updateOne({ _id: markId(model, environment) }, { $max: { generation } }, { upsert: true });
  };
  const alive = { $expr: { $gt: ['$lease_until', '$$NOW'] } };
  // A pipeline, because only there the database's own clock can be written; `$literal`, because a value may begin with `$`.
  const write = (state: ReplicaState, leaseMs: number) => [
    {
      $set: {
        ...Object.fromEntries(Object.entries(state).map(([name, value]) => [name, { $literal: value }])),
        lease_until: { $add: ['$$NOW', leaseMs] },
      },
    },
  ];

  return {
    async join(id, state, leaseMs) {
      await raise(state);
      await (await replicas()).updateOne({ _id: id }, write(state, leaseMs), { upsert: true });
    },

    async renew(id, state, leaseMs) {
      await raise(state);
      const held = await (
        await replicas()
      ).updateOne({ _id: id, instance: state.instance, ...alive }, write(state, leaseMs));
      if (held.matchedCount === 1) return 'renewed';
      const rival = await (await replicas()).countDocuments({ _id: id, instance: { $ne: state.instance }, ...alive });
      return rival === 0 ? 'lapsed' : 'taken';
    },

    async leave(id, instance) {
      await (await replicas()).deleteOne({ _id: id, instance });
    },

    live: async (model, environment) =>
      (await replicas())
        .find({ model, environment, ...alive })
        .sort({ _id: 1 })
        .toArray(),

    async newestGeneration(model, environment) {
      const [mark, newest] = await Promise.all([
        (await marks()).findOne({ _id: markId(model, environment) }),
        // What replicas reported before there were marks.
        (await replicas()).findOne({ model, environment }, { sort: { generation: -1 } }),
      ]);
      return Math.max(mark?.generation ?? 0, newest?.generation ?? 0);
    },
  };
}

function markId(model: string, environment: string): string {
  return `${model}/${environment}`;
}
