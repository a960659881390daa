import { ActivityFailure, CancellationScope, condition, isCancellation, workflowInfo } from '@temporalio/workflow';
import { ApplicationFailure, TimeoutFailure } from '@temporalio/common';
import { bundleIdOf } from '../../domain/bundle/id.js';
import { notificationOf } from '../../domain/notification/events.js';
import type { Pointer, Receipt, ReplicaInfo } from '../../domain/release/types.js';
import { handOverSince, logUnsent } from '../common/notify.js';
import { listeningReplica, passingNotification, shortCalls, smokeChecks } from '../common/proxies.js';
import { reasonOf } from '../common/reason.js';
import { goesBack, type RolloutInput } from './contract.js';
import type { Replicas } from './replicas.js';

/** A replica with a live lease that has not answered for so long is left out: longer than a lease, so that a dead one has left by itself. */
const SILENT_SECONDS = 20;

/** What one round of questions is about. */
interface Question<T> {
  /** the answer that the replica's lease gives already, or null */
  shown: (one: ReplicaInfo) => T | null;
  ask: (one: ReplicaInfo) => Promise<T>;
  /** whether nobody may stop this for want of an answer: what goes back, goes back */
  mustGoOn: boolean;
}

/**
 * Asks every replica with a live lease, and takes a lease that shows the generation and its digest for an answer. One that stays silent is
 * named, left out of everything that follows, and people are told; a final refusal ends it at once.
 */
export class AskedReplicas implements Replicas {
  private readonly leftOut = new Set<string>();
  private readonly notifications: Promise<void>[] = [];

  constructor(private readonly input: RolloutInput) {}

  get silent(): string[] {
    return [...this.leftOut];
  }

  reload(live: Pointer, goingBack = goesBack(this.input)): Promise<Receipt[]> {
    const { model, environment } = this.input;
    const { version, manifestSha256 } = bundleIdOf(live);
    const { generation } = live;
    return this.every<Receipt>({
      shown: (one) =>
        one.generation === generation && one.manifestSha256 === manifestSha256
          ? { replicaId: one.replicaId, version, manifestSha256, generation, loadedInMs: null }
          : null,
      ask: ({ replicaId }) =>
        listeningReplica(replicaId).reload({ model, environment, version, manifestSha256, generation }),
      mustGoOn: goingBack,
    });
  }

  async smoke(live: Pointer): Promise<number> {
    const { model } = this.input;
    const { generation } = live;
    const results = await this.every({
      shown: () => null,
      ask: (replica) => smokeChecks.smoke({ model, replica, bundle: bundleIdOf(live), generation }),
      mustGoOn: goesBack(this.input),
    });
    return results.reduce((sum, { vectors }) => sum + vectors, 0);
  }

  async notified(): Promise<void> {
    await Promise.all(this.notifications);
  }

  private async every<T>(question: Question<T>): Promise<T[]> {
    const asking = new CancellationScope();
    try {
      return await this.everyWithin(asking, question);
    } finally {
      asking.cancel();
    }
  }

  private async everyWithin<T>(asking: CancellationScope, { shown, ask, mustGoOn }: Question<T>): Promise<T[]> {
    const { model, environment, replicaWaitSeconds } = this.input;
    const answers = new Map<string, T>();
    const asked = new Map<string, { sinceMs: number; underWay: boolean; failure: unknown }>();
    const deadline = Date.now() + replicaWaitSeconds * 1000;
    let heard = false;
    const begin = (one: ReplicaInfo): void => {
      const mine = asked.get(one.replicaId) ?? { sinceMs: Date.now(), underWay: true, failure: null };
      asked.set(one.replicaId, mine);
      mine.underWay = true;
      void asking
        .run(() => ask(one))
        .then(
          (answer) => void answers.set(one.replicaId, answer),
          (error: unknown) => (mine.failure = error),
        )
        .finally(() => {
          mine.underWay = false;
          heard = true;
        });
    };

    for (;;) {
      const alive = await shortCalls.liveReplicas({ model, environment });
      const replicas = alive.filter(({ replicaId }) => !this.leftOut.has(replicaId));
      // One whose lease ended is dead: if it comes back it is another life, and asked anew.
      for (const id of asked.keys()) if (!alive.some(({ replicaId }) => replicaId === id)) asked.delete(id);
      for (const one of replicas) {
        const answer = answers.has(one.replicaId) ? null : shown(one);
        if (answer !== null) answers.set(one.replicaId, answer);
      }
      const missing = replicas.filter(({ replicaId }) => !answers.has(replicaId));
      if (replicas.length > 0 && missing.length === 0) return replicas.map((one) => answers.get(one.replicaId) as T);
      for (const { replicaId } of missing) {
        const failure = asked.get(replicaId)?.failure;
        if (isFinal(failure)) throw failure;
      }

      const late = Date.now() >= deadline;
      for (const one of missing) {
        const { sinceMs, failure } = asked.get(one.replicaId) ?? { sinceMs: Date.now(), failure: null };
        if ((late && mustGoOn) || (isSilence(failure) && Date.now() - sinceMs >= SILENT_SECONDS * 1000))
          this.leaveOut(one, failure);
      }
      const left = missing.filter(({ replicaId }) => !this.leftOut.has(replicaId));
      if (left.length < missing.length) continue;
      if (replicas.length === 0 && (late || alive.length > 0)) {
        if (mustGoOn) return [];
        throw noReplica(this.input, alive);
      }
      if (late) throw unanswered(left, asked, replicaWaitSeconds);

      for (const one of missing) if (asked.get(one.replicaId)?.underWay !== true) begin(one);
      heard = false;
      await condition(() => heard, '1s');
    }
  }

  /** The rollout goes on without it; it may serve something older, so a person must look. */
  private leaveOut({ replicaId, address }: ReplicaInfo, failure: unknown): void {
    const { model, environment, bundle } = this.input;
    this.leftOut.add(replicaId);
    const { workflowId, runId } = workflowInfo();
    const notification = notificationOf('replicaSilent', `${runId}/silent/${replicaId}`, workflowId, {
      model,
      environment,
      replicaId,
      address,
      version: bundle.version,
      why: failure === null ? null : reasonOf(failure),
    });
    this.notifications.push(logUnsent(handOverSince(model, notification, passingNotification)));
  }
}

/** A refused bundle stays refused; a replica that did not answer may only have died. */
function isFinal(error: unknown): boolean {
  return (
    isCancellation(error) ||
    (error instanceof ActivityFailure && error.cause instanceof ApplicationFailure && error.cause.nonRetryable === true)
  );
}

/** Nobody took the order, or whoever took it fell silent, or nobody listens at the address: not an answer of any kind. */
function isSilence(error: unknown): boolean {
  if (!(error instanceof ActivityFailure)) return false;
  if (error.cause instanceof TimeoutFailure) return true;
  const details = error.cause instanceof ApplicationFailure ? error.cause.details?.[0] : undefined;
  return (details as { silent?: boolean } | undefined)?.silent === true;
}

function noReplica(
  { environment, replicaWaitSeconds }: RolloutInput,
  alive: readonly ReplicaInfo[],
): ApplicationFailure {
  const names = alive.map(({ replicaId }) => replicaId).join(', ');
  return ApplicationFailure.nonRetryable(
    alive.length === 0
      ? `no replica of ${environment} was alive within ${replicaWaitSeconds} s`
      : `no replica of ${environment} answers: ${names} hold${alive.length === 1 ? 's' : ''} a lease and nothing more`,
    'NoReplica',
  );
}

function unanswered(
  missing: readonly ReplicaInfo[],
  asked: ReadonlyMap<string, { failure: unknown }>,
  seconds: number,
): ApplicationFailure {
  const each = missing.map(({ replicaId }) => {
    const failure = asked.get(replicaId)?.failure ?? null;
    return failure === null ? replicaId : `${replicaId}: ${reasonOf(failure)}`;
  });
  return ApplicationFailure.nonRetryable(
    `not every replica answered within ${seconds} s: ${each.join('; ')}`,
    'ReloadFailed',
  );
}
