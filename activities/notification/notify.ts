import { setTimeout as delay } from 'node:timers/promises';
import { ApplicationFailure } from '@temporalio/common';
import type { Logger } from 'pino';
import type { FailureType } from '../../platform/errors.js';
import type { ChannelTest, DeliveryActivities, NotificationTestActivities, NotifyActivities } from './contract.js';
import { MAX_UNKNOWN, type DeliveryLedger } from '../../stores/notification-ledger.js';
import { createRests } from './rests.js';
import { DeliveryError, type Channel } from './channel.js';
import type { Notification } from '../../domain/notification/notification.js';

/** A channel that has failed for so long counts as refusing. A run that waits for it cannot wait for ever; what is sent by itself can wait for a weekend. */
const GIVE_UP_MS = { run: 4 * 3_600_000, byItself: 7 * 24 * 3_600_000 };

export interface NotifyDeps {
  /** on this machine: used first, and without the ledger, since they must work when Mongo is the thing to report */
  local: readonly Channel[];
  /** channels to people; each delivers once, by the ledger */
  channels: readonly Channel[];
  ledger: DeliveryLedger;
  /** the page of a run in the Temporal UI; no run: of the one that calls */
  pageOf: (workflowId: string | undefined) => string | undefined;
  log: Pick<Logger, 'warn' | 'error'>;
}

/** Well below a ledger's lease: a channel that hangs must not be at it still when the next attempt takes over. */
const DELIVERY_MS = 15_000;

/** What kept a notification from a channel, and how long the channel wants to be left alone. */
interface Obstacle {
  channel: string;
  why: string;
  retryAfterMs: number;
}

export function createNotifyActivities(
  deps: NotifyDeps,
): NotifyActivities & DeliveryActivities & NotificationTestActivities {
  const { local, channels, ledger, pageOf, log } = deps;
  const resting = createRests();

  /** Null when the notification is where it should be, or never will be. */
  const deliverOnce = async (
    notification: Notification,
    channel: Channel,
    patienceMs: number,
  ): Promise<Obstacle | null> => {
    const obstacle = (why: string, retryAfterMs = 0): Obstacle => ({ channel: channel.name, why, retryAfterMs });
    const restMs = resting.leftMs(channel.name);
    if (restMs > 0) return obstacle('it has failed several times in a row and is left alone for a moment', restMs);
    const claim = await ledger.claim(notification, channel.name);
    if (claim.outcome === 'busy') return obstacle('another attempt is at it');
    if (claim.outcome !== 'claimed') return null;
    const { attempt, again, unknowns, firstAt } = claim;
    try {
      await deliverInTime(channel, notification, again);
    } catch (error) {
      const { outcome, message, retryAfterMs } = asDeliveryError(error);
      resting.failed(channel.name);
      const tooLate = Date.now() - firstAt.getTime() > patienceMs;
      const tooOften = outcome === 'unknown' && unknowns + 1 >= MAX_UNKNOWN;
      const state = tooLate || tooOften ? 'refused' : outcome;
      await ledger.mark(notification.key, channel.name, attempt, state, message);
      if (state !== 'refused') return obstacle(message, retryAfterMs);
      // Nobody may ever look at a log; but the other channels have it, and `sluice notify list` says so.
      log.error(
        { channel: channel.name, key: notification.key, why: message },
        'a notification was refused and is not tried again',
      );
      return null;
    }
    resting.answered(channel.name);
    await ledger.mark(notification.key, channel.name, attempt, 'told', null);
    return null;
  };

  const deliverLocally = async (notification: Notification, channel: Channel): Promise<Obstacle | null> => {
    await channel.deliver(notification, false);
    await ledger
      .note(notification, channel.name)
      .catch((error: unknown) =>
        log.warn({ error, key: notification.key }, 'a notification was delivered, but that could not be recorded'),
      );
    return null;
  };

  /** Every channel is tried, whichever of them fails; the retry goes only where it is still needed. */
  const deliver = async (given: Notification, patienceMs: number): Promise<void> => {
    const link = given.link ?? pageOf(given.workflowId);
    const notification: Notification = link === undefined ? given : { ...given, link };
    const tried = [
      ...local.map((channel) => ({ channel, delivery: deliverLocally(notification, channel) })),
      ...channels.map((channel) => ({ channel, delivery: deliverOnce(notification, channel, patienceMs) })),
    ];
    const found = await Promise.all(
      tried.map(({ channel, delivery }) =>
        delivery.catch((error: unknown): Obstacle => ({
          channel: channel.name,
          why: (error as Error).message,
          retryAfterMs: 0,
        })),
      ),
    );
    const obstacles = found.filter((one) => one !== null);
    if (obstacles.length > 0) throw someChannelsFailed(notification, obstacles);
  };

  return {
    notify: (given) => deliver(given, GIVE_UP_MS.run),
    deliverNotification: (given) => deliver(given, GIVE_UP_MS.byItself),

    async testChannels({ key, requestedBy }) {
      const notification: Notification = {
        key,
        severity: 'info',
        title: `a test by ${requestedBy}`,
        text: 'Sluice can reach you here.',
        whatToDo: 'nothing',
      };
      return Promise.all(
        [...local, ...channels].map(async (channel): Promise<ChannelTest> => {
          try {
            await deliverInTime(channel, notification, false);
            return { sink: channel.name, ok: true, why: '' };
          } catch (error) {
            return { sink: channel.name, ok: false, why: (error as Error).message };
          }
        }),
      );
    },
  };
}

async function deliverInTime(channel: Channel, notification: Notification, again: boolean): Promise<void> {
  const timer = new AbortController();
  const late = delay(DELIVERY_MS, undefined, { signal: timer.signal }).then(() => {
    throw new DeliveryError('unknown', `no answer within ${DELIVERY_MS / 1000} s`);
  });
  try {
    await Promise.race([channel.deliver(notification, again), late]);
  } finally {
    late.catch(() => undefined);
    timer.abort();
  }
}

/** A defect of our own in a channel may have come after the sending. */
function asDeliveryError(error: unknown): DeliveryError {
  return error instanceof DeliveryError ? error : new DeliveryError('unknown', (error as Error).message);
}

/** Retryable; where a channel asks for patience, the next attempt waits for it. */
function someChannelsFailed({ title }: Notification, obstacles: readonly Obstacle[]): ApplicationFailure {
  const waitMs = Math.max(...obstacles.map(({ retryAfterMs }) => retryAfterMs));
  return ApplicationFailure.create({
    type: 'Unreachable' satisfies FailureType,
    message: `${title}: some channels failed: ${obstacles.map(({ channel, why }) => `${channel}: ${why}`).join('; ')}`,
    nonRetryable: false,
    ...(waitMs > 0 ? { nextRetryDelay: waitMs } : {}),
  });
}
