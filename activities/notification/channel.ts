import type { Notification } from '../../domain/notification/notification.js';

/** One way to reach people. */
export interface Channel {
  readonly name: string;
  /**
   * @param again an earlier attempt may have delivered it: its process died, or no answer came. A channel that cannot recognise a duplicate says so in the text.
   * @throws DeliveryError
   */
  deliver(notification: Notification, again: boolean): Promise<void>;
}

/**
 * Why a notification did not arrive. `refused`: it will not, however often it is tried. `failed`: not this time. `unknown`: it was sent and no answer
 * came, so it may have. Messages never hold the channel's address: it is a secret.
 */
export class DeliveryError extends Error {
  constructor(
    readonly outcome: 'refused' | 'failed' | 'unknown',
    message: string,
    /** how long the other side asked us to wait */
    readonly retryAfterMs?: number,
  ) {
    super(message);
    this.name = 'DeliveryError';
  }
}

/** A text without anything that a channel keeps secret. */
export function redacted(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret !== '')
    .reduce((clean, secret) => clean.replaceAll(secret, '[secret]'), text);
}

/** What a person reads below the title, the same through every channel. */
export function notificationText({ text, whatToDo, link }: Notification, again: boolean): string {
  return [
    text,
    ...(whatToDo === undefined ? [] : [`What to do: ${whatToDo}`]),
    ...(link === undefined ? [] : [link]),
    ...(again ? ['(This may be repeated: an earlier attempt ended without an answer.)'] : []),
  ].join('\n\n');
}
