import { execa } from 'execa';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { createDeliveryLedger, MAX_UNKNOWN, type DeliveryLedger } from '../../stores/notification-ledger.js';
import { COLLECTIONS } from '../../stores/collections.js';
import { mailChannel, messageId } from '../../activities/notification/mail.js';
import { createNotifyActivities } from '../../activities/notification/notify.js';
import type { Notification } from '../../domain/notification/notification.js';
import { slackChannel } from '../../activities/notification/slack.js';
import type { Mongo } from '../../platform/mongo.js';
import { projectPath } from '../../platform/project.js';
import { startMail, startSlack } from '../support/alert-servers.js';
import { ensureBuilt } from '../support/build.js';
import { testMongo } from '../support/servers.js';
import { useServers, type SharedServers } from '../support/shared-servers.js';

// Notifications through a strict Slack and a real mail server, with the ledger in a real MongoDB.
const DATABASE = 'alerts';
/** as short as a claim may lapse here; in production 30 s */
const LEASE_MS = 1_000;
const TIMEOUT_MS = 400;
let stack: SharedServers;
let mongo: Mongo;
let slack: Awaited<ReturnType<typeof startSlack>>;
let mail: Awaited<ReturnType<typeof startMail>>;

beforeAll(async () => {
  [stack, slack, mail] = await Promise.all([useServers(['mongo']), startSlack(), startMail(), ensureBuilt()]);
  mongo = await testMongo(stack.env, DATABASE);
});
afterAll(async () => {
  await Promise.all([slack?.close(), mail?.close(), mongo?.close()]);
});
beforeEach(() => {
  for (const list of [slack.posts, slack.answers, mail.mails, mail.refuse, mail.afterData]) list.length = 0;
});

const logged: string[] = [];
function notifier(
  ledger: DeliveryLedger = createDeliveryLedger(mongo.db, LEASE_MS),
  slackUrl = slack.url,
  smtp = mail.url,
) {
  return createNotifyActivities({
    local: [],
    channels: [
      slackChannel(slackUrl, TIMEOUT_MS),
      mailChannel({
        url: smtp,
        from: 'sluice@example.com',
        to: 'ops@example.com, risk@example.com',
        timeoutMs: TIMEOUT_MS,
      }),
    ],
    ledger,
    pageOf: () => 'http://ui/run',
    log: pino({}, { write: (line: string) => void logged.push(line) }),
  });
}
let serial = 0;
const notification = (more: Partial<Notification> = {}): Notification => ({
  key: `occasion/${(serial += 1)}`,
  severity: 'critical',
  title: 'fx_rates are 4 days old',
  text: 'The provider answers with <html> & nothing else.',
  whatToDo: 'Set FX_SOURCE to another one.',
  ...more,
});
const states = async (key: string) =>
  Object.fromEntries(
    (await createDeliveryLedger(mongo.db).list(new Date(0), 1000))
      .filter(({ _id }) => _id.key === key)
      .map(({ _id, state, attempts }) => [_id.sink, `${state} ${attempts}`]),
  );
/** The failure that Temporal would see. */
const failure = async (delivery: Promise<void>) =>
  delivery.then(
    () => expect.fail('it should not be told everywhere'),
    (error: unknown) => error as { message: string; nonRetryable: boolean; nextRetryDelay?: number },
  );

describe('a notification', () => {
  it('is told once by each channel, with what to do and a link, however often and however many at once', async () => {
    const given = notification();
    await Promise.allSettled([notifier().notify(given), notifier().notify(given), notifier().notify(given)]);
    await notifier().notify(given);
    expect(slack.posts).toHaveLength(1);
    expect(slack.posts[0]).toMatchObject({
      text: '[critical] fx_rates are 4 days old',
      blocks: [
        { type: 'header' },
        {
          text: {
            text: 'The provider answers with &lt;html&gt; &amp; nothing else.\n\nWhat to do: Set FX_SOURCE to another one.\n\nhttp://ui/run',
          },
        },
      ],
    });
    expect(mail.mails).toHaveLength(1);
    expect(mail.mails[0]).toContain('Subject: [sluice critical] fx_rates are 4 days old');
    expect(mail.mails[0]).toContain(`Message-ID: ${messageId(given.key)}`);
    expect(mail.mails[0]).toContain('To: ops@example.com, risk@example.com');
    expect(mail.mails[0]).toContain('What to do: Set FX_SOURCE to another one.');
    expect(await states(given.key)).toEqual({ slack: 'told 1', mail: 'told 1' });
  });

  it('is not repeated where it was told, when another channel failed', async () => {
    const given = notification();
    slack.answers.push({ status: 503, body: 'down' }, { status: 500 });
    const failed = await failure(notifier().notify(given));
    expect(failed).toMatchObject({
      nonRetryable: false,
      message: expect.stringMatching(/slack: Slack answered HTTP 503: down$/),
    });
    await failure(notifier().notify(given));
    await notifier().notify(given);
    expect(slack.posts).toHaveLength(1);
    // Whoever answered 500 may have posted it.
    expect(slack.posts[0]?.blocks[1]?.text.text).toContain('This may be repeated');
    expect(mail.mails).toHaveLength(1);
    expect(await states(given.key)).toEqual({ slack: 'told 3', mail: 'told 1' });
  });

  it('is repeated by a channel that delivers and then answers 500 ever more rarely, and a few times at most', async () => {
    const given = notification();
    const notifications = mongo.db.collection(COLLECTIONS.notifications.name);
    const wake = () => notifications.updateMany({ '_id.key': given.key }, { $set: { lease_until: new Date(0) } });
    const attempts: string[] = [];
    for (let attempt = 1; attempt <= 9; attempt += 1) {
      slack.answers.push({ status: 500 });
      attempts.push(
        await notifier()
          .notify(given)
          .then(
            () => 'done',
            (error: Error) => error.message,
          ),
      );
      slack.answers.length = 0;
      // Not again at once, however often the activity is tried …
      if (attempt > 1 && attempt < MAX_UNKNOWN)
        expect((await failure(notifier().notify(given))).message).toContain('another attempt is at it');
      // … but when it has rested.
      await wake();
    }
    expect(attempts.filter((end) => end.includes('HTTP 500'))).toHaveLength(MAX_UNKNOWN - 1);
    expect(await states(given.key)).toEqual({ slack: `refused ${MAX_UNKNOWN}`, mail: 'told 1' });
  });

  it('is left alone for a moment where a channel fails for everything, so that a flood costs the worker no time', async () => {
    const one = notifier();
    slack.answers.push({ status: 503 }, { status: 503 }, { status: 503 });
    for (const given of [notification(), notification(), notification()]) await failure(one.notify(given));
    const waits = await Promise.all(Array.from({ length: 20 }, () => failure(one.notify(notification()))));
    expect(slack.posts).toEqual([]);
    for (const { message, nextRetryDelay } of waits) {
      expect(message).toContain('slack: it has failed several times in a row');
      expect(nextRetryDelay).toBeGreaterThan(20_000);
    }
  });

  it('by itself waits a day for a channel that is down', async () => {
    const given = notification();
    slack.answers.push({ status: 503 }, { status: 503 });
    await failure(notifier().deliverNotification(given));
    const aDayAgo = { $set: { first_at: new Date(Date.now() - 25 * 3600_000) } };
    await mongo.db.collection(COLLECTIONS.notifications.name).updateMany({ '_id.key': given.key }, aDayAgo);
    await failure(notifier().deliverNotification(given));
    await notifier().deliverNotification(given);
    expect(await states(given.key)).toEqual({ slack: 'told 3', mail: 'told 1' });
  });

  it('waits as long as Slack asks for', async () => {
    slack.answers.push({ status: 429, retryAfter: 30, body: 'rate_limited' });
    expect(await failure(notifier().notify(notification()))).toMatchObject({ nextRetryDelay: 30_000 });
  });

  it.each([
    ['Slack', () => slack.answers.push({ status: 404, body: 'no_service' }), { slack: 'refused 1', mail: 'told 1' }],
    ['Slack elsewhere', () => slack.answers.push({ status: 302 }), { slack: 'refused 1', mail: 'told 1' }],
    ['the mail server', () => mail.refuse.push(550, 550), { slack: 'told 1', mail: 'refused 1' }],
  ])(
    'that %s refuses for good does not hold the run up; the ledger and the log say so',
    async (_who, refuse, expected) => {
      const given = notification();
      refuse();
      await notifier().notify(given);
      await notifier().notify(given);
      expect(await states(given.key)).toEqual(expected);
      expect(logged.some((line) => line.includes(given.key) && line.includes('refused'))).toBe(true);
    },
  );

  it('is tried again where the mail server asks to wait, or refuses the text for now', async () => {
    const given = notification();
    mail.refuse.push(451, 451);
    expect((await failure(notifier().notify(given))).message).toMatch(/mail: mail was not sent/);
    mail.afterData.push(452);
    await failure(notifier().notify(given));
    await notifier().notify(given);
    expect(mail.mails).toHaveLength(1);
    expect(await states(given.key)).toEqual({ slack: 'told 1', mail: 'told 3' });
  });

  it('that was sent without an answer is told again and says so; mail keeps its Message-ID', async () => {
    const given = notification();
    slack.answers.push('hang');
    mail.afterData.push('hang');
    await failure(notifier().notify(given));
    expect(await states(given.key)).toEqual({ slack: 'unknown 1', mail: 'unknown 1' });
    await notifier().notify(given);
    expect(slack.posts.map(({ blocks }) => blocks[1]?.text.text.includes('This may be repeated'))).toEqual([
      false,
      true,
    ]);
    expect(mail.mails.map((text) => /^Message-ID: (.*)\r$/m.exec(text)?.[1])).toEqual([
      messageId(given.key),
      messageId(given.key),
    ]);
    await notifier().notify(given);
    expect(slack.posts).toHaveLength(2);
  });

  it('waits for a channel that nobody listens to, and is then told once', async () => {
    const given = notification();
    const nowhere = 'http://127.0.0.1:9/services/T0/B0/very-secret';
    const failed = await failure(notifier(undefined, nowhere, mail.url.replace(/:\d+$/, ':9')).notify(given));
    expect(failed.message).toMatch(
      /slack: Slack cannot be reached: ECONNREFUSED; mail: mail was not sent \(ESOCKET, CONN\)/,
    );
    await notifier().notify(given);
    expect([slack.posts.length, mail.mails.length]).toEqual([1, 1]);
    expect(slack.posts[0]?.blocks[1]?.text.text).not.toContain('This may be repeated');
  });

  it('gives a channel up that has failed for hours, so that no run waits for ever', async () => {
    const given = notification();
    slack.answers.push({ status: 503 }, { status: 503 });
    await failure(notifier().notify(given));
    await mongo.db
      .collection(COLLECTIONS.notifications.name)
      .updateMany({ '_id.key': given.key }, { $set: { first_at: new Date(Date.now() - 5 * 3600_000) } });
    await notifier().notify(given);
    expect(await states(given.key)).toEqual({ slack: 'refused 2', mail: 'told 1' });
  });

  it('with a name from outside makes no header, no link and no ping', async () => {
    await notifier().notify(
      notification({
        title: 'merchant "x"\r\nBcc: all@example.com <!channel>',
        text: '<https://evil|click> '.repeat(300),
      }),
    );
    expect(mail.mails[0]).not.toMatch(/^Bcc:/m);
    expect(slack.posts[0]?.text).toContain('&lt;!channel&gt;');
    expect(slack.posts[0]?.blocks[1]?.text.text).not.toContain('<https');
  });

  it('never carries a secret: not in a failure, not in the ledger, not in the log', async () => {
    slack.answers.push({ status: 400, body: `no such hook ${slack.secret}` });
    await notifier().notify(notification());
    await notifier(undefined, slack.url, mail.url.replace(mail.password, 'another-secret')).notify(notification());
    slack.answers.push('cut');
    const failed = await failure(notifier().notify(notification()));
    const ledger = await mongo.db.collection(COLLECTIONS.notifications.name).find().toArray();
    const said = [failed.message, JSON.stringify(failed), JSON.stringify(ledger), ...logged].join('\n');
    expect(said).toContain('check SLACK_WEBHOOK_URL');
    expect(said).toContain('check SMTP_URL');
    expect(said).not.toMatch(/very-secret|another-secret/);
  });
});

describe('kill -9', () => {
  it('between sending and mark: the other channel is not told again, this one once more, and says so', async () => {
    const given = notification({ title: 'killed', text: 'in between' });
    slack.answers.push('hang');
    const uri = stack.env['MONGODB_URI'] as string;
    const child = execa(
      process.execPath,
      [projectPath('test', 'support', 'deliver-once.mjs'), uri, DATABASE, given.key, slack.url, mail.url],
      { reject: false },
    );
    // Slack has it and has not answered; the mail is told and marked.
    await vi.waitUntil(async () => slack.posts.length === 1 && (await states(given.key))['mail'] === 'told 1', {
      timeout: 20_000,
      interval: 50,
    });
    child.kill('SIGKILL');
    await child;
    expect(await states(given.key)).toEqual({ slack: 'sending 1', mail: 'told 1' });

    // The claim of the dead is respected until it lapses: it might be alive.
    expect((await failure(notifier().notify(given))).message).toContain('another attempt is at it');
    await mongo.db
      .collection(COLLECTIONS.notifications.name)
      .updateMany({ '_id.key': given.key }, { $set: { lease_until: new Date(Date.now() - 1000) } });
    await notifier().notify(given);
    await notifier().notify(given);
    expect(mail.mails).toHaveLength(1);
    expect(slack.posts.map(({ blocks }) => blocks[1]?.text.text.includes('This may be repeated'))).toEqual([
      false,
      true,
    ]);
    expect(await states(given.key)).toEqual({ slack: 'told 2', mail: 'told 1' });
  });
});

describe('a test', () => {
  it('says how each channel took it', async () => {
    mail.refuse.push(550, 550);
    expect(await notifier().testChannels({ key: 'test', requestedBy: 'ada' })).toEqual([
      { sink: 'slack', ok: true, why: '' },
      { sink: 'mail', ok: false, why: expect.stringMatching(/^the mail server refused \(550/) },
    ]);
    expect(slack.posts[0]?.text).toBe('[info] a test by ada');
  });
});
