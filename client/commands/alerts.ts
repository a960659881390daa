import { Command } from 'commander';
import type { ChannelTest } from '../../activities/notification/contract.js';
import { createDeliveryLedger, type DeliveryRecord } from '../../stores/notification-ledger.js';
import { mongoOf } from '../../platform/connect.js';
import { QUEUES } from '../../workflows/common/queues.js';
import {
  testNotificationWorkflowId,
  WORKFLOW,
  type TestNotificationInput,
} from '../../workflows/testNotification/contract.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { parseCount, parseInstant } from '../options.js';
import { newReleaseId } from '../release/release.js';

/** `sluice alerts …`: what people were told, and whether they can be. */
export function alertsCommand(cli: Cli): Command {
  const alerts = new Command('alerts').description('what people were told, and whether they can be reached');

  alerts
    .command('list')
    .description('notices, newest first, and how each channel took them')
    .option('--since <instant>', 'only what came up since (default: everything)', parseInstant)
    .option('--limit <n>', 'how many', parseCount, 50)
    .addHelpText('after', '\nExample:\n  sluice alerts list --since 2026-11-20')
    .action((options: { since?: string; limit: number }) =>
      cli.withSettings(async (settings) => {
        const mongo = await mongoOf(settings, 'client');
        try {
          const records = await createDeliveryLedger(mongo.db).list(new Date(options.since ?? 0), options.limit * 4);
          const found = byNotice(records).slice(0, options.limit);
          cli.output.result(found, () =>
            found.length === 0 ? 'nobody was told anything' : found.map(noticeText).join('\n'),
          );
          return EXIT.ok;
        } finally {
          await mongo.close();
        }
      }),
    );

  alerts
    .command('test')
    .description('send a test notice through every channel, and say how each took it')
    .addHelpText('after', '\nExit code 3 says that one of them did not take it.')
    .action(() =>
      cli.withSession(async ({ client, uiUrl }) => {
        const workflowId = testNotificationWorkflowId(newReleaseId());
        const input: TestNotificationInput = { requestedBy: cli.actor };
        const handle = await client.workflow.start(WORKFLOW, {
          taskQueue: QUEUES.release,
          workflowId,
          args: [input],
          staticSummary: `test notices by ${cli.actor}`,
        });
        const channels = (await handle.result()) as ChannelTest[];
        cli.output.result({ channels, url: uiUrl(workflowId) }, () =>
          [
            ...channels.map(({ sink, ok, why }) => `${ok ? '✔' : '✖'} ${sink}${why === '' ? '' : `  ${why}`}`),
            ...(channels.some(({ sink }) => sink !== 'file' && sink !== 'log')
              ? []
              : ['no channel to people is set: SLACK_WEBHOOK_URL, or SMTP_URL with ALERT_MAIL_FROM and ALERT_MAIL_TO']),
            uiUrl(workflowId),
          ].join('\n'),
        );
        return channels.every(({ ok }) => ok) ? EXIT.ok : EXIT.failed;
      }),
    );

  return alerts;
}

interface ListedNotice {
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

function byNotice(records: readonly DeliveryRecord[]): ListedNotice[] {
  const found = new Map<string, ListedNotice>();
  for (const { _id, notice, state, attempts, first_at, told_at, why } of records) {
    const one = found.get(_id.key) ?? { key: _id.key, at: first_at.toISOString(), notice, channels: [] };
    one.channels.push({ sink: _id.sink, state, attempts, toldAt: told_at?.toISOString() ?? null, why });
    found.set(_id.key, one);
  }
  return [...found.values()];
}

function noticeText({ at, notice, channels }: ListedNotice): string {
  const { severity, title, text, whatToDo, link } = notice;
  return [
    `${at.slice(0, 16).replace('T', ' ')}Z  ${severity.padEnd(8)}  ${title}`,
    `    ${text.replaceAll('\n', '\n    ')}`,
    ...(whatToDo === undefined ? [] : [`    What to do: ${whatToDo}`]),
    ...(link === undefined ? [] : [`    ${link}`]),
    `    ${channels.map(({ sink, state, why }) => `${sink}: ${state}${why === null ? '' : ` (${why})`}`).join('; ')}`,
  ].join('\n');
}
