import { performance } from 'node:perf_hooks';
import type { Logger } from 'pino';
import type { ReplicaRegistry, ReplicaState } from '../../stores/replica-registry.js';
import type { RegistryState } from './readiness.js';

export interface LeaseStatus {
  registry: RegistryState;
  /** `performance.now()` when the lease now held was gained: what was read before may be out of date. null: none was ever held. */
  gainedAtMs: number | null;
  /** leases gained since the start */
  gained: number;
  /** the highest generation seen in the registry whenever a lease was gained */
  newestGeneration: number;
}

/** Keeps this replica in the registry for as long as it runs. */
export interface ReplicaLease {
  start(): void;
  status(): LeaseStatus;
  /** Writes the present state at once, for example a new generation; its failure is the next renewal's business. */
  announce(): Promise<void>;
  /** Stops renewing and removes the record; gives up quietly when the registry is away. */
  leave(): Promise<void>;
}

export interface ReplicaLeaseOptions {
  registry: ReplicaRegistry;
  id: string;
  state: () => ReplicaState;
  leaseMs: number;
  renewMs: number;
  /** a lease was gained: whatever happened before is unknown */
  onGained: () => void;
  log: Logger;
}

export function createReplicaLease(options: ReplicaLeaseOptions): ReplicaLease {
  const { registry, id, leaseMs, renewMs, log } = options;
  let known: 'joining' | 'joined' | 'taken' | 'unreachable' = 'joining';
  let renewedAtMs = 0;
  let gainedAtMs: number | null = null;
  let gained = 0;
  /** no lease is known to have followed the one that ran out: a join may have been made whose answer was lost */
  let joining = true;
  let newestGeneration = 0;
  let timer: NodeJS.Timeout | null = null;
  let stopped = false;
  let round: Promise<void> = Promise.resolve();

  const renew = async (): Promise<void> => {
    const state = options.state();
    // From before the call: the database starts the lease later than this, so by our clock it ends too early, never too late.
    const askedAtMs = performance.now();
    try {
      const outcome = gained === 0 ? 'lapsed' : await registry.renew(id, state, leaseMs);
      if (outcome === 'lapsed' || (outcome === 'renewed' && joining)) {
        joining = true;
        newestGeneration = await registry.newestGeneration(state.model, state.environment);
        await registry.join(id, state, leaseMs);
        joining = false;
        gainedAtMs = performance.now();
        gained += 1;
        log.info({ replicaId: id, gained }, 'lease gained');
        options.onGained();
      }
      if (outcome === 'taken' && known !== 'taken')
        log.error({ replicaId: id }, 'another live process uses this replica id; give each its own SCORER_REPLICA_ID');
      if (outcome !== 'taken') renewedAtMs = askedAtMs;
      known = outcome === 'taken' ? 'taken' : 'joined';
    } catch (error) {
      if (known !== 'unreachable')
        log.warn({ err: error }, 'the replica registry cannot be reached; serving on without it');
      known = 'unreachable';
    }
  };

  /** Rounds never overlap: two renewals under way could answer in the wrong order. */
  const next = (): Promise<void> => (round = round.then(() => (stopped ? undefined : renew())));

  const tick = async (): Promise<void> => {
    await next();
    if (!stopped) timer = setTimeout(() => void tick(), renewMs);
  };

  return {
    start: () => void tick(),
    status() {
      const expired = known === 'joined' && performance.now() - renewedAtMs > leaseMs;
      return { registry: expired ? 'expired' : known, gainedAtMs, gained, newestGeneration };
    },
    announce: next,
    async leave() {
      stopped = true;
      if (timer !== null) clearTimeout(timer);
      await round;
      try {
        await registry.leave(id, options.state().instance);
      } catch (error) {
        log.warn({ err: error }, 'the record could not be removed from the registry; its lease will run out');
      }
    },
  };
}
