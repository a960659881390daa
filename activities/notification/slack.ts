import axios from 'axios';
import { IncomingWebhook, IncomingWebhookHTTPError, type IncomingWebhookSendArguments } from '@slack/webhook';
import { isNetworkError, isRetryableStatus } from '../../platform/errors.js';
import { DeliveryError, notificationText, redacted, type Channel } from './channel.js';
import type { Notification } from '../../domain/notification/notification.js';

const TIMEOUT_MS = 8_000;
/** Slack refuses longer texts. */
const TITLE_CHARACTERS = 150;
const TEXT_CHARACTERS = 2_900;
/** Nothing was sent: nobody listened. */
const NEVER_SENT = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

/**
 * Slack's incoming webhook. It knows no message ids: what may have been posted before is posted again, and says so.
 * @param url the webhook's address, which is its secret
 */
export function slackChannel(url: string, timeoutMs: number = TIMEOUT_MS): Channel {
  return {
    name: 'slack',
    async deliver(notification, again) {
      let retryAfterMs: number | undefined;
      const webhook = new IncomingWebhook(url, {
        retryConfig: { retries: 0 },
        // axios, since Node's own fetch knows no HTTPS_PROXY; and the library drops Retry-After
        fetch: async (address, init) => {
          const { status, statusText, headers, data } = await axios.post<string>(address.toString(), init?.body, {
            headers: init?.headers ?? {},
            responseType: 'text',
            timeout: timeoutMs,
            maxRedirects: 0,
            maxContentLength: 64 * 1024,
            validateStatus: () => true,
          });
          const seconds = Number(headers['retry-after']);
          if (Number.isFinite(seconds) && seconds > 0) retryAfterMs = seconds * 1000;
          return new Response(data, { status, statusText });
        },
      });
      try {
        await webhook.send(message(notification, again));
      } catch (error) {
        throw toDeliveryError(error, [url, new URL(url).pathname], retryAfterMs);
      }
    },
  };
}

function message(notification: Notification, again: boolean): IncomingWebhookSendArguments {
  const title = `[${notification.severity}] ${notification.title}`;
  const body = notificationText(notification, again);
  return {
    // what a phone's notification shows
    text: escaped(title),
    blocks: [
      { type: 'header', text: { type: 'plain_text', text: cut(title, TITLE_CHARACTERS) } },
      { type: 'section', text: { type: 'mrkdwn', text: cut(escaped(body), TEXT_CHARACTERS) } },
    ],
  };
}

/** Slack's three control characters: a name from outside must not become a link or ping a channel. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

function cut(text: string, characters: number): string {
  return text.length <= characters ? text : `${text.slice(0, characters - 1)}…`;
}

function toDeliveryError(error: unknown, secrets: string[], retryAfterMs: number | undefined): DeliveryError {
  if (error instanceof IncomingWebhookHTTPError) {
    const said = redacted(error.body.slice(0, 200), secrets);
    const text = `Slack answered HTTP ${error.statusCode}${said === '' ? '' : `: ${said}`}`;
    // A server that failed may have posted it before; one that is busy (503) or wants patience (429) has not.
    const mayBePosted = error.statusCode >= 500 && error.statusCode !== 503;
    return isRetryableStatus(error.statusCode)
      ? new DeliveryError(mayBePosted ? 'unknown' : 'failed', text, retryAfterMs)
      : new DeliveryError('refused', `${text}; check SLACK_WEBHOOK_URL and that the webhook still exists`);
  }
  const { code, message: what } = ((error as Error).cause ?? error) as { code?: string; message?: string };
  const why = redacted(code ?? what ?? String(error), secrets);
  if (NEVER_SENT.has(code ?? '')) return new DeliveryError('failed', `Slack cannot be reached: ${why}`);
  return new DeliveryError(
    'unknown',
    `Slack did not answer: ${why}${isNetworkError({ code }) ? '' : '; check SLACK_WEBHOOK_URL'}`,
  );
}
