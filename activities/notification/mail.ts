import { createHash } from 'node:crypto';
import { createTransport, type NodemailerError } from 'nodemailer';
import { DeliveryError, notificationText, redacted, type Channel } from './channel.js';
import type { Notification } from '../../domain/notification/notification.js';

export interface MailOptions {
  /** `smtp://` or `smtps://`, with user and password */
  url: string;
  from: string;
  /** one address or several, with commas */
  to: string;
  /** for one step of the conversation */
  timeoutMs?: number;
}

const STEP_TIMEOUT_MS = 3_500;
const SUBJECT_CHARACTERS = 200;

/** E-mail by SMTP. The Message-ID is made from the notification's key: a second copy is the same message to servers and mail programs that look. */
export function mailChannel({ url, from, to, timeoutMs = STEP_TIMEOUT_MS }: MailOptions): Channel {
  const { username, password } = new URL(url);
  const secrets = [url, password, decodeURIComponent(password), username].filter((secret) => secret !== '');
  return {
    name: 'mail',
    async deliver(notification, again) {
      const transport = createTransport({
        url,
        dnsTimeout: timeoutMs,
        connectionTimeout: timeoutMs,
        greetingTimeout: timeoutMs,
        socketTimeout: timeoutMs,
        disableFileAccess: true,
        disableUrlAccess: true,
      });
      try {
        await transport.sendMail({
          from,
          to,
          messageId: messageId(notification.key),
          subject: subject(notification),
          text: notificationText(notification, again),
          headers: { 'Auto-Submitted': 'auto-generated' },
          ...(notification.severity === 'critical' ? { priority: 'high' as const } : {}),
        });
      } catch (error) {
        throw toDeliveryError(error as NodemailerError, secrets);
      } finally {
        transport.close();
      }
    },
  };
}

/** The same for the same key, on every attempt and from every worker. */
export function messageId(key: string): string {
  return `<${createHash('sha256').update(key).digest('hex').slice(0, 40)}@sluice>`;
}

/** One line: a name from outside must not become a header. */
function subject({ severity, title }: Notification): string {
  return `[sluice ${severity}] ${title}`.replaceAll(/\p{Cc}+/gu, ' ').slice(0, SUBJECT_CHARACTERS);
}

/** nodemailer's words for a server that was never spoken to; its code and command are those of a later silence as well */
const NO_TALK = /^(Connection timeout|Greeting never received)/;
/** Without an answer it cannot be known whether the text had been sent, unless the connection was never made. */
const NEVER_SENT = new Set(['EDNS', 'ETLS', 'EPROXY']);

/** 5xx is a refusal, 4xx a wish to wait (RFC 5321, 4.2.1). */
function toDeliveryError(error: NodemailerError, secrets: readonly string[]): DeliveryError {
  const { responseCode, code = '', command = '', syscall } = error;
  const said = redacted(error.message, secrets).slice(0, 300);
  if (responseCode !== undefined && responseCode >= 500)
    return new DeliveryError(
      'refused',
      `the mail server refused (${responseCode}, ${command}): ${said}; check SMTP_URL, ALERT_MAIL_FROM and ALERT_MAIL_TO`,
    );
  if (code === 'ECONFIG' || code === 'ENOAUTH' || code === 'EAUTH')
    return new DeliveryError('refused', `mail cannot be sent (${code}): ${said}; check SMTP_URL`);
  const neverSent =
    responseCode !== undefined || NEVER_SENT.has(code) || syscall === 'connect' || NO_TALK.test(error.message);
  return neverSent
    ? new DeliveryError('failed', `mail was not sent (${code}, ${command}): ${said}`)
    : new DeliveryError('unknown', `the mail server did not answer (${code}, ${command}): ${said}`);
}
