import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import type { FailureType } from '../../platform/errors.js';
import type { NotifyActivities } from './contract.js';
import type { NotificationTestActivities, ChannelTest } from './contract.js';
import type { DeliveryLedger } from '../../stores/notification-ledger.js';
import { DeliveryError, type NoticeSink } from './sink.js';
import type { Notification } from '../../domain/notification/notification.js';

/** A channel that has failed for so long counts as refusing, so that a dead webhook cannot hold up a release for ever. */
const GIVE_UP_MS = 4 * 3600 * 1000;

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

export function createNotifyActivities(deps: NotifyDeps): NotifyActivities & NotificationTestActivities {
  const { local, channels, ledger, pageOf, log } = deps;

  /** Null when the notice is where it should be, or never will be. */
  const tellOnce = async (notice: Notification, sink: NoticeSink): Promise<Obstacle | null> => {
    const obstacle = (why: string, retryAfterMs = 0): Obstacle => ({ sink: sink.name, why, retryAfterMs });
    const claim = await ledger.claim(notice, sink.name);
    if (claim.outcome === 'busy') return obstacle('another attempt is at it');
    if (claim.outcome !== 'claimed') return null;
    const { attempt, again, firstAt } = claim;
    try {
      await deliverInTime(sink, notice, again);
    } catch (error) {
      const { outcome, message, retryAfterMs } = asDeliveryError(error);
      const tooLate = Date.now() - firstAt.getTime() > GIVE_UP_MS;
      const state = tooLate ? 'refused' : outcome;
      await ledger.mark(notice.key, sink.name, attempt, state, message);
      if (state !== 'refused') return obstacle(message, retryAfterMs);
      // Nobody may ever look at a log; but the other sinks have it, and `sluice alerts list` says so.
      log.error({ sink: sink.name, key: notice.key, why: message }, 'a notice was refused and is not tried again');
      return null;
    }
    await ledger.mark(notice.key, sink.name, attempt, 'told', null);
    return null;
  };

  const tellLocally = async (notice: Notification, sink: NoticeSink): Promise<Obstacle | null> => {
    await sink.deliver(notice, false);
    await ledger
      .note(notice, sink.name)
      .catch((error: unknown) => log.warn({ error, key: notice.key }, 'a notice was told and could not be recorded'));
    return null;
  };

  return {
    /** Every sink is tried, whichever of them fails; the retry goes only where it is still needed. */
    async notify(given) {
      const link = given.link ?? pageOf(given.workflowId);
      const notice: Notification = link === undefined ? given : { ...given, link };
      const tried = [
        ...local.map((sink) => ({ sink, telling: tellLocally(notice, sink) })),
        ...channels.map((sink) => ({ sink, telling: tellOnce(notice, sink) })),
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
    },

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
