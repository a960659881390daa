import type { Notification } from '../../domain/notification/notification.js';

export const WORKFLOW = 'sendNotification';

/** One at a time for an occasion. */
export function notificationWorkflowId({ key }: Pick<Notification, 'key'>): string {
  return `notification/${key}`;
}
