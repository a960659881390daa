import { Command } from 'commander';
import type { ChannelTest } from '../../activities/notification/contract.js';
import type { DeliveryRecord } from '../../stores/notification-ledger.js';
import {
  testNotificationWorkflowId,
  WORKFLOW,
  type TestNotificationInput,
} from '../../workflows/testNotification/contract.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { parseAtLeastOne, parseInstant } from '../options.js';
import { withMongo } from '../stores.js';

/** `sluice notify …`: what was sent to people, and whether the channels work. */
export function notifyCommand(cli: Cli): Command {
  const notify = new Command('notify');

  notify
    .command('list')
    .description('list notifications, newest first, with the delivery state of each channel')
    .option('--since <instant>', 'only notifications since then (default: all)', parseInstant)
    .option('--limit <n>', 'show the N newest', parseAtLeastOne, 50)
    .addHelpText('after', '\nExample:\n  sluice notify list --since 2026-11-20')
    .action((options: { since?: string; limit: number }) =>
      withMongo(cli, async ({ db }) => {
        const { createDeliveryLedger } = await import('../../stores/notification-ledger.js');
        const records = await createDeliveryLedger(db).list(new Date(options.since ?? 0), options.limit * 4);
        const found = byNotification(records).slice(0, options.limit);
        cli.output.result(found, () =>
          found.length === 0 ? 'no notifications' : found.map(notificationText).join('\n'),
        );
        return EXIT.ok;
      }),
    );

  notify
    .command('test')
    .description('send a test notification through every channel and show the results')
    .addHelpText('after', '\nExit code 3: a channel failed.\n\nExample:\n  sluice notify test')
    .action(() =>
      cli.withSession(async (session) => {
        const [{ newRunId }, { runOperation }] = await Promise.all([
          import('../runs/id.js'),
          import('../runs/operation.js'),
        ]);
        const { result: channels, url } = await runOperation<ChannelTest[]>(cli, session, {
          workflowType: WORKFLOW,
          workflowId: testNotificationWorkflowId(newRunId()),
          input: { requestedBy: cli.actor } satisfies TestNotificationInput,
          summary: `test notifications by ${cli.actor}`,
        });
        cli.output.result({ channels, url }, () =>
          [
            ...channels.map(({ sink: name, ok, why }) => `${ok ? '✔' : '✖'} ${name}${why === '' ? '' : `  ${why}`}`),
            ...(channels.some(({ sink: name }) => name !== 'file' && name !== 'log')
              ? []
              : [
                  'no channel to people is configured: set SLACK_WEBHOOK_URL, or SMTP_URL with ALERT_MAIL_FROM and ALERT_MAIL_TO',
                ]),
          ].join('\n'),
        );
        return channels.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
      }),
    );

  return notify;
}

interface ListedNotification {
  key: string;
  at: string;
  notice: DeliveryRecord['notice'];
  channels: {
    sink: string;
    state: DeliveryRecord['state'];
    attempts: number;
    toldAt: string | null;
    why: string | null;
  }[];
}

function byNotification(records: readonly DeliveryRecord[]): ListedNotification[] {
  const found = new Map<string, ListedNotification>();
  for (const { _id, notice, state, attempts, first_at, told_at, why } of records) {
    const one = found.get(_id.key) ?? { key: _id.key, at: first_at.toISOString(), notice, channels: [] };
    one.channels.push({ sink: _id.sink, state, attempts, toldAt: told_at?.toISOString() ?? null, why });
    found.set(_id.key, one);
  }
  return [...found.values()];
}

function notificationText({ at, notice, channels }: ListedNotification): string {
  const { severity, title, text, whatToDo, link } = notice;
  return [
    `${at.slice(0, 16).replace('T', ' ')}Z  ${severity.padEnd(8)}  ${title}`,
    `    ${text.replaceAll('\n', '\n    ')}`,
    ...(whatToDo === undefined ? [] : [`    What to do: ${whatToDo}`]),
    ...(link === undefined ? [] : [`    ${link}`]),
    `    ${channels.map(({ sink: name, state, why }) => `${name}: ${state}${why === null ? '' : ` (${why})`}`).join('; ')}`,
  ].join('\n');
}
