import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import type { FailureType } from '../../platform/errors.js';
import type { ChannelTest, DeliveryActivities, NotificationTestActivities, NotifyActivities } from './contract.js';
import { MAX_UNKNOWN, type DeliveryLedger } from '../../stores/notification-ledger.js';
import { createRests } from './rests.js';
import { DeliveryError, type NoticeSink } from './sink.js';
import type { Notification } from '../../domain/notification/notification.js';

/** A channel that has failed for so long counts as refusing. A run that waits for it cannot wait for ever; what is sent by itself can wait for a weekend. */
const GIVE_UP_MS = { run: 4 * 3_600_000, byItself: 7 * 24 * 3_600_000 };

export interface NotifyDeps {
  /** on this machine: told first, and without the ledger, since they must work when Mongo is the thing to report */
  local: readonly NoticeSink[];
  /** channels to people; each is told once, by the ledger */
  channels: readonly NoticeSink[];
  ledger: DeliveryLedger;
  /** the page of a run in the Temporal UI; no run: of the one that calls */
  pageOf: (workflowId: string | undefined) => string | undefined;
  log: Pick<Logger, 'warn' | 'error'>;
}

/** Well below a ledger's lease: a channel that hangs must not be at it still when the next attempt takes over. */
const DELIVERY_MS = 15_000;

/** What kept a notice from a sink, and how long the sink wants to be left alone. */
interface Obstacle {
  sink: string;
  why: string;
  retryAfterMs: number;
}

export function createNotifyActivities(
  deps: NotifyDeps,
): NotifyActivities & DeliveryActivities & NotificationTestActivities {
  const { local, channels, ledger, pageOf, log } = deps;
  const resting = createRests();

  /** Null when the notice is where it should be, or never will be. */
  const tellOnce = async (notice: Notification, sink: NoticeSink, patienceMs: number): Promise<Obstacle | null> => {
    const obstacle = (why: string, retryAfterMs = 0): Obstacle => ({ sink: sink.name, why, retryAfterMs });
    const restMs = resting.leftMs(sink.name);
    if (restMs > 0) return obstacle('it has failed several times in a row and is left alone for a moment', restMs);
    const claim = await ledger.claim(notice, sink.name);
    if (claim.outcome === 'busy') return obstacle('another attempt is at it');
    if (claim.outcome !== 'claimed') return null;
    const { attempt, again, unknowns, firstAt } = claim;
    try {
      await deliverInTime(sink, notice, again);
    } catch (error) {
      const { outcome, message, retryAfterMs } = asDeliveryError(error);
      resting.failed(sink.name);
      const tooLate = Date.now() - firstAt.getTime() > patienceMs;
      const tooOften = outcome === 'unknown' && unknowns + 1 >= MAX_UNKNOWN;
      const state = tooLate || tooOften ? 'refused' : outcome;
      await ledger.mark(notice.key, sink.name, attempt, state, message);
      if (state !== 'refused') return obstacle(message, retryAfterMs);
      // Nobody may ever look at a log; but the other sinks have it, and `sluice alerts list` says so.
      log.error({ sink: sink.name, key: notice.key, why: message }, 'a notice was refused and is not tried again');
      return null;
    }
    resting.answered(sink.name);
    await ledger.mark(notice.key, sink.name, attempt, 'told', null);
    return null;
  };

  const tellLocally = async (notice: Notification, sink: NoticeSink): Promise<Obstacle | null> => {
    await sink.deliver(notice, false);
    await ledger
      .note(notice, sink.name)
      .catch((error: unknown) =>
        log.warn({ error, key: notice.key }, 'a notification was delivered, but that could not be recorded'),
      );
    return null;
  };

  /** Every sink is tried, whichever of them fails; the retry goes only where it is still needed. */
  const tell = async (given: Notification, patienceMs: number): Promise<void> => {
    const link = given.link ?? pageOf(given.workflowId);
    const notice: Notification = link === undefined ? given : { ...given, link };
    const tried = [
      ...local.map((sink) => ({ sink, telling: tellLocally(notice, sink) })),
      ...channels.map((sink) => ({ sink, telling: tellOnce(notice, sink, patienceMs) })),
    ];
    const found = await Promise.all(
      tried.map(({ sink, telling }) =>
        telling.catch((error: unknown): Obstacle => ({
          sink: sink.name,
          why: (error as Error).message,
          retryAfterMs: 0,
        })),
      ),
    );
    const obstacles = found.filter((one) => one !== null);
    if (obstacles.length > 0) throw toldInPart(notice, obstacles);
  };

  return {
    notify: (given) => tell(given, GIVE_UP_MS.run),
    deliverNotification: (given) => tell(given, GIVE_UP_MS.byItself),

    async testChannels({ key, requestedBy }) {
      const notice: Notification = {
        key,
        severity: 'info',
        title: `a test by ${requestedBy}`,
        text: 'Sluice can reach you here.',
        whatToDo: 'nothing',
      };
      return Promise.all(
        [...local, ...channels].map(async (sink): Promise<ChannelTest> => {
          try {
            await deliverInTime(sink, notice, false);
            return { sink: sink.name, ok: true, why: '' };
          } catch (error) {
            return { sink: sink.name, ok: false, why: (error as Error).message };
          }
        }),
      );
    },
  };
}

async function deliverInTime(sink: NoticeSink, notice: Notification, again: boolean): Promise<void> {
  const timer = new AbortController();
  const late = delay(DELIVERY_MS, undefined, { signal: timer.signal }).then(() => {
    throw new DeliveryError('unknown', `no answer within ${DELIVERY_MS / 1000} s`);
  });
  try {
    await Promise.race([sink.deliver(notice, again), late]);
  } finally {
    late.catch(() => undefined);
    timer.abort();
  }
}

/** A mistake of our own in a sink may have come after the sending. */
function asDeliveryError(error: unknown): DeliveryError {
  return error instanceof DeliveryError ? error : new DeliveryError('unknown', (error as Error).message);
}

/** Retryable; where a sink asks for patience, the next attempt waits for it. */
function toldInPart({ title }: Notification, obstacles: readonly Obstacle[]): ApplicationFailure {
  const waitMs = Math.max(...obstacles.map(({ retryAfterMs }) => retryAfterMs));
  return ApplicationFailure.create({
    type: 'Unreachable' satisfies FailureType,
    message: `${title}: some channels failed: ${obstacles.map(({ sink, why }) => `${sink}: ${why}`).join('; ')}`,
    nonRetryable: false,
    ...(waitMs > 0 ? { nextRetryDelay: waitMs } : {}),
  });
}
