import type { ReplicaRecord, ReplicaRegistry, ReplicaState } from '../../stores/replica-registry.js';

/**
 * The registry of replicas in memory; each call does its work at once. `replica-registry-contract.ts` holds it to what MongoDB does.
 * @param nowMs the database's clock
 */
export function createFakeReplicaRegistry(
  nowMs: () => number,
): ReplicaRegistry & { records: Map<string, ReplicaRecord> } {
  const records = new Map<string, ReplicaRecord>();
  const marks = new Map<string, number>();
  const raise = ({ model, environment, generation }: ReplicaState): void => {
    const name = `${model}/${environment}`;
    marks.set(name, Math.max(marks.get(name) ?? 0, generation));
  };
  const isAlive = (record: ReplicaRecord): boolean => record.lease_until.getTime() > nowMs();
  const write: ReplicaRegistry['join'] = (id, state, leaseMs) => {
    raise(state);
    records.set(id, { _id: id, ...state, lease_until: new Date(nowMs() + leaseMs) });
    return Promise.resolve();
  };

  return {
    records,
    join: write,

    async renew(id, state, leaseMs) {
      raise(state);
      const record = records.get(id);
      if (record === undefined || !isAlive(record)) return 'lapsed';
      if (record.instance !== state.instance) return 'taken';
      await write(id, state, leaseMs);
      return 'renewed';
    },

    leave(id, instance) {
      if (records.get(id)?.instance === instance) records.delete(id);
      return Promise.resolve();
    },

    live: (model, environment) =>
      Promise.resolve(
        [...records.values()]
          .filter((record) => record.model === model && record.environment === environment && isAlive(record))
          .sort((a, b) => (a._id < b._id ? -1 : 1)),
      ),

    newestGeneration: (model, environment) => Promise.resolve(marks.get(`${model}/${environment}`) ?? 0),
  };
}
