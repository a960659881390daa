import type { Db } from 'mongodb';
import { chainEntry, type AuditRecord } from '../domain/audit/chain.js';
import { isDuplicateKey } from '../platform/mongo.js';
import type { AuditEntry } from '../schemas/types.js';
import { COLLECTIONS, createIndexes, openCollection } from './collections.js';

/** The hash-chained record of every effective change of a pointer. */
export interface AuditLog {
  /** Writes the entry once per `put_id`, however often and from wherever it is called. */
  append(record: AuditRecord): Promise<AuditEntry>;
  /** The highest generation on record of one pointer; 0 when there is none. */
  latestGeneration(model: string, environment: string): Promise<number>;
  /** Every entry in order, for `verifyAuditChain`. */
  entries(): Promise<AuditEntry[]>;
}

export function createAuditLog(db: Db): AuditLog {
  const collection = openCollection(db, COLLECTIONS.auditLog);
  const withoutId = { projection: { _id: 0 } } as const;
  let indexes: Promise<unknown> | undefined;
  const ready = async (): Promise<void> => {
    indexes ??= createIndexes(db, COLLECTIONS.auditLog);
    try {
      await indexes;
    } catch (error) {
      indexes = undefined;
      throw error;
    }
  };

  const find = async (putId: string): Promise<AuditEntry | null> => collection.findOne({ put_id: putId }, withoutId);

  return {
    async append(record) {
      await ready();
      for (;;) {
        const present = await find(record.put_id);
        if (present !== null) return present;
        const last = await collection.findOne({}, { ...withoutId, sort: { seq: -1 } });
        const entry = chainEntry(last, record);
        try {
          await collection.insertOne({ ...entry });
          return entry;
        } catch (error) {
          // Another appender took this place in the chain, or wrote this very change: look again, one of the two is progress.
          const { keyPattern = {} } = isDuplicateKey(error) ? (error as { keyPattern?: object }) : {};
          const field = Object.keys(keyPattern)[0];
          if (field !== 'seq' && field !== 'put_id') throw error;
        }
      }
    },
    async latestGeneration(model, environment) {
      const newest = await collection.findOne(
        { model, environment: environment as AuditEntry['environment'] },
        { sort: { generation: -1 } },
      );
      return newest?.generation ?? 0;
    },
    async entries() {
      return collection.find({}, withoutId).sort({ seq: 1 }).toArray();
    },
  };
}
