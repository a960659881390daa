import type { Notification } from '../../domain/notification/notification.js';
import { delivery } from '../common/proxies.js';

/**
 * Delivers one notification, for as long as it takes: a channel that is down for a day is told when it is back. A workflow of its own, so
 * that no other run waits for a channel.
 */
export function sendNotification(notification: Notification): Promise<void> {
  return delivery.deliverNotification(notification);
}
