import { ApplicationFailure } from '@temporalio/common';
import type { BundleId } from '../../domain/bundle/id.js';
import type { Pointer } from '../../domain/release/types.js';
import type { StepLog } from '../common/progress.js';
import { shortCalls } from '../common/proxies.js';
import { goesBack, ROLLOUT_STEP, type RolloutInput } from '../rolloutBundle/contract.js';
import { runRollout } from '../rolloutBundle/run.js';
import { settleFirst } from '../settleModel/first.js';
import { readOutcome, type Published } from './outcome.js';

/** A rival that goes live first costs one more round; this many rivals in a row is a queue, not a race. */
export const MAX_ROUNDS = 5;
/** How long a rollout waits for the replicas' answers. */
export const REPLICA_WAIT_SECONDS = 120;

/** What a publisher composed on what is live: a bundle to publish, or why there is none. */
export type Composed = { outcome: 'composed'; bundle: BundleId } | { outcome: 'unchanged' | 'superseded'; why: string };

export interface Publication extends Pick<
  RolloutInput,
  'model' | 'definition' | 'environment' | 'releaseId' | 'caller' | 'kind' | 'change'
> {
  /** Called once a round with what is live then; null: nothing is. */
  compose(live: Pointer | null): Promise<Composed>;
  /** Asked when a rival went live first: whether to compose again on that. Absent: yes. */
  mayComposeAgain?(): boolean;
}

/** The run that publishes. */
export interface Publisher {
  /** its steps; null where the step that it is at covers all of this */
  log: StepLog | null;
  /** says that it needs these bundles from here to its end */
  hold(...versions: (string | undefined)[]): void;
}

/**
 * Publishes a bundle through the one door: reads what is live, lets the publisher compose on it, and runs the rollout; again where another
 * change went live first, so that nothing that came in between is undone.
 */
export async function publishBundle(run: Publisher, publication: Publication): Promise<Published> {
  const { log } = run;
  const { compose, mayComposeAgain = () => true, ...change } = publication;
  const { model, environment } = change;
  // A rollback is in a hurry, and what it goes back from need not be in order.
  if (environment === 'production' && !goesBack(change)) await settleFirst(model);
  for (let round = 1; ; round++) {
    const live = await shortCalls.readPointer({ model, environment });
    run.hold(live?.version);
    const composed = await compose(live);
    if (composed.outcome !== 'composed') return composed;
    run.hold(composed.bundle.version);
    const { version, manifestSha256 } = composed.bundle;
    const roll = () =>
      runRollout({
        ...change,
        bundle: { version, manifestSha256 },
        base: live === null ? null : { version: live.version, generation: live.generation },
        replicaWaitSeconds: REPLICA_WAIT_SECONDS,
      });
    const rollout = await (log === null ? roll() : log.run(ROLLOUT_STEP, roll, ({ why }) => why));
    log?.nest(ROLLOUT_STEP, rollout.steps);
    const reading = readOutcome(version, rollout);
    if (reading.outcome !== 'base moved') return reading;
    if (round === MAX_ROUNDS)
      return { outcome: 'superseded', why: `other changes went live first ${MAX_ROUNDS} times; start again` };
    if (!mayComposeAgain()) return { outcome: 'superseded', why: `${rollout.why}; start again` };
  }
}

/** The failure with which a publisher ends when its bundle failed: final, its details are the rollout's result. */
export function rolloutFailed({ why, rollout }: Extract<Published, { outcome: 'failed' }>): ApplicationFailure {
  return ApplicationFailure.nonRetryable(why, 'RolloutFailed', rollout);
}
