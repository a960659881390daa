import { ActivityFailure, ApplicationFailure, isCancellation, patched, sleep } from '@temporalio/workflow';
import { bundleIdOf } from '../../domain/bundle/id.js';
import type { Pointer, Receipt, ReplicaInfo } from '../../domain/release/types.js';
import { PATCHES } from '../common/patches.js';
import { shortCalls, replica, smokeChecks } from '../common/proxies.js';
import { AskedReplicas } from './ask-replicas.js';
import type { RolloutInput } from './contract.js';

/** The replicas of the rollout's environment, as one rollout speaks to them. */
export interface Replicas {
  /** those that hold a lease and do not answer, which it went on without */
  readonly silent: readonly string[];
  /**
   * A receipt of this generation from every live replica.
   * @param goingBack whether it must not fail for want of a receipt; a rollback's own reload never does
   */
  reload(live: Pointer, goingBack?: boolean): Promise<Receipt[]>;
  /** The golden vectors through every live replica's HTTP door; returns how many were asked. 0: no replica answers at all. */
  smoke(live: Pointer): Promise<number>;
  /** Resolves when people have been told of the silent ones, or could not be. */
  notified(): Promise<void>;
}

export function replicasOf(input: RolloutInput): Replicas {
  if (patched(PATCHES.leaseIsReceipt)) return new AskedReplicas(input);
  return {
    silent: [],
    reload: (live) => reloadReplicas(input, live),
    smoke: (live) => smokeReplicas(input, live),
    notified: () => Promise.resolve(),
  };
}

/**
 * Before `PATCHES.leaseIsReceipt`. Asks every replica with a live lease until each has answered for this generation. A replica that dies meanwhile leaves the list when
 * its lease ends, or comes back and is asked again; one that joins is asked too. A final refusal ends it at once.
 */
async function everyReplica<T>(input: RolloutInput, ask: (one: ReplicaInfo) => Promise<T>): Promise<T[]> {
  const answers = new Map<string, T>();
  const deadline = Date.now() + input.replicaWaitSeconds * 1000;
  for (;;) {
    const replicas = await shortCalls.liveReplicas({ model: input.model, environment: input.environment });
    const missing = replicas.filter(({ replicaId }) => !answers.has(replicaId));
    if (replicas.length > 0 && missing.length === 0)
      return replicas.map(({ replicaId }) => answers.get(replicaId) as T);
    const settled = await Promise.allSettled(missing.map(async (one) => answers.set(one.replicaId, await ask(one))));
    const refusals = settled.flatMap((result) => (result.status === 'rejected' ? [result.reason as Error] : []));
    const final = refusals.find(isFinal);
    if (final !== undefined) throw final;
    if (Date.now() >= deadline) {
      throw (
        refusals[0] ??
        ApplicationFailure.nonRetryable(
          `no replica of ${input.environment} was alive within ${input.replicaWaitSeconds} s`,
          'NoReplica',
        )
      );
    }
    if (missing.length === 0 || refusals.length > 0)
      await sleep('1s', { summary: 'A moment, then the replicas are asked again' });
  }
}

/** A refused bundle stays refused; a replica that did not answer may only have died. */
function isFinal(error: unknown): boolean {
  return (
    isCancellation(error) ||
    (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.nonRetryable === true)
  );
}

function reloadReplicas(input: RolloutInput, live: Pointer): Promise<Receipt[]> {
  const { model, environment } = input;
  const target = { model, environment, ...bundleIdOf(live), generation: live.generation };
  return everyReplica(input, ({ replicaId }) => replica(replicaId).reload(target));
}

async function smokeReplicas(input: RolloutInput, live: Pointer): Promise<number> {
  const bundle = bundleIdOf(live);
  const results = await everyReplica(input, (one) =>
    smokeChecks.smoke({ model: input.model, replica: one, bundle, generation: live.generation }),
  );
  return results.reduce((sum, { vectors }) => sum + vectors, 0);
}
