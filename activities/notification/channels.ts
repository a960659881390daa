import type { Settings } from '../../platform/config.js';
import { SluiceError } from '../../platform/errors.js';
import { mailChannel } from './mail.js';
import type { Channel } from './channel.js';
import { slackChannel } from './slack.js';

type AlertSettings = Pick<Settings, 'SLACK_WEBHOOK_URL' | 'SMTP_URL' | 'ALERT_MAIL_FROM' | 'ALERT_MAIL_TO'>;

/**
 * The channels that the settings name; none is an answer too.
 * @throws SluiceError InvalidInput, naming the setting and never its value
 */
export function channelsOf(settings: AlertSettings): Channel[] {
  const { SLACK_WEBHOOK_URL: slack, SMTP_URL: smtp, ALERT_MAIL_FROM: from, ALERT_MAIL_TO: to } = settings;
  const channels: Channel[] = [];
  if (slack !== '') {
    requireUrl('SLACK_WEBHOOK_URL', slack, ['https:', 'http:']);
    channels.push(slackChannel(slack));
  }
  if (smtp !== '') {
    requireUrl('SMTP_URL', smtp, ['smtp:', 'smtps:']);
    for (const [name, value] of Object.entries({ ALERT_MAIL_FROM: from, ALERT_MAIL_TO: to }))
      if (!value.includes('@'))
        throw new SluiceError('InvalidInput', `SMTP_URL is set, and ${name} is no address: set both, or neither.`);
    channels.push(mailChannel({ url: smtp, from, to }));
  }
  return channels;
}

function requireUrl(name: string, value: string, protocols: readonly string[]): void {
  let protocol = '';
  try {
    protocol = new URL(value).protocol;
  } catch {
    // said below, without the value
  }
  if (!protocols.includes(protocol))
    throw new SluiceError('InvalidInput', `${name} must be a URL that begins with ${protocols.join('// or ')}//.`);
}
