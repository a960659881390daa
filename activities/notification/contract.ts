import type { Notification } from '../../domain/notification/notification.js';

/** queue `release` */
export interface NotifyActivities {
  /** In a run that waits for it: a channel that has failed for hours counts as refusing. */
  notify(input: Notification): Promise<void>;
}

/** queue `release` */
export interface DeliveryActivities {
  /** As `notify`, for whom nothing waits: a channel is tried for days before it counts as refusing. */
  deliverNotification(input: Notification): Promise<void>;
}

/** How one channel took a test notification. */
export interface ChannelTest {
  /** the channel's name; the field is called as in histories of workflows */
  sink: string;
  ok: boolean;
  /** why not; empty when it did */
  why: string;
}

/** queue `release` */
export interface NotificationTestActivities {
  /** Sends a notification through every channel, once, and says how each took it. Does not throw: the table is the answer. */
  testChannels(input: { key: string; requestedBy: string }): Promise<ChannelTest[]>;
}
