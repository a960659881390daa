import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { channelsOf } from './channels.js';
import { fileChannel, logChannel } from './local.js';
import { messageId } from './mail.js';
import { createNotifyActivities } from './notify.js';
import type { Notification } from '../../domain/notification/notification.js';
import type { Channel } from './channel.js';

// What needs no server: the channels of this machine, and the settings. The channels and the ledger: test/integration/alerts.integration.test.ts.
let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-notify-'));
  file = join(directory, 'state', 'alerts.jsonl');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const notification = (key: string): Notification => ({
  key,
  severity: 'critical',
  title: 'undo failed',
  text: 'line one\nline two',
});
const now = () => new Date('2025-06-30T12:00:00Z');
const lines = async () => (await readFile(file, 'utf8')).trimEnd().split('\n');
const down = () => Promise.reject(new Error('Mongo is down'));
const activities = (...local: Channel[]) =>
  createNotifyActivities({
    local,
    channels: [],
    ledger: { claim: down, mark: down, note: down, list: down },
    pageOf: (workflowId) => `http://ui/${workflowId ?? 'caller'}`,
    log: pino({ enabled: false }),
  });

describe('notifications', () => {
  it('are told once a key, also when they arrive together', async () => {
    const { notify } = activities(fileChannel(file, now));
    await Promise.all([notify(notification('a')), notify(notification('a')), notify(notification('b'))]);
    await activities(fileChannel(file, now)).notify(notification('a'));
    expect((await lines()).map((line) => (JSON.parse(line) as Notification).key)).toEqual(['a', 'b']);
    expect(JSON.parse((await lines())[0] as string)).toEqual({
      at: '2025-06-30T12:00:00.000Z',
      ...notification('a'),
      link: 'http://ui/caller',
    });
  });

  it('survive a line that a crash cut short', async () => {
    const { notify } = activities(fileChannel(file, now));
    await notify(notification('a'));
    await appendFile(file, '{"key":"b","sev');
    await notify(notification('b'));
    const written = await lines();
    expect(written).toHaveLength(3);
    expect(JSON.parse(written[2] as string)).toMatchObject({ key: 'b' });
  });

  it('reach the other channels when one fails, and the failure says which', async () => {
    const blocked = join(directory, 'blocked');
    await writeFile(blocked, 'a file, not a folder');
    const { notify } = activities(fileChannel(join(blocked, 'alerts.jsonl'), now), fileChannel(file, now));
    await expect(notify(notification('a'))).rejects.toMatchObject({
      type: 'Unreachable',
      message: expect.stringContaining(blocked),
    });
    expect(await lines()).toHaveLength(1);
  });

  it('link to the run they are about, unless the caller knows better', async () => {
    const { notify } = activities(fileChannel(file, now));
    await notify({ ...notification('a'), workflowId: 'release/x/1' });
    await notify({ ...notification('b'), link: 'http://elsewhere' });
    expect((await lines()).map((line) => (JSON.parse(line) as Notification).link)).toEqual([
      'http://ui/release/x/1',
      'http://elsewhere',
    ]);
  });

  it('stand in the log at the level of their severity', async () => {
    const written: string[] = [];
    const log = pino({}, { write: (line: string) => void written.push(line) });
    await logChannel(log).deliver(notification('a'), false);
    expect(JSON.parse(written[0] as string)).toMatchObject({ level: 50, msg: 'undo failed', key: 'a' });
  });
});

describe('channels', () => {
  const none = { SLACK_WEBHOOK_URL: '', SMTP_URL: '', ALERT_MAIL_FROM: '', ALERT_MAIL_TO: '' };

  it('are those that are set', () => {
    expect(channelsOf(none)).toEqual([]);
    const all = {
      SLACK_WEBHOOK_URL: 'https://hooks.slack.com/services/T/B/x',
      SMTP_URL: 'smtps://u:p@mail.example.com',
      ALERT_MAIL_FROM: 'sluice@example.com',
      ALERT_MAIL_TO: 'a@example.com, b@example.com',
    };
    expect(channelsOf(all).map(({ name }) => name)).toEqual(['slack', 'mail']);
  });

  it.each([
    ['SLACK_WEBHOOK_URL', { SLACK_WEBHOOK_URL: 'hooks.slack.com/services/secret' }],
    ['SLACK_WEBHOOK_URL', { SLACK_WEBHOOK_URL: 'ftp://secret' }],
    ['SMTP_URL', { SMTP_URL: 'mail.example.com:secret' }],
    ['ALERT_MAIL_FROM', { SMTP_URL: 'smtp://u:secret@mail.example.com', ALERT_MAIL_TO: 'a@example.com' }],
    ['ALERT_MAIL_TO', { SMTP_URL: 'smtp://u:secret@mail.example.com', ALERT_MAIL_FROM: 'a@example.com' }],
  ])('refuse a wrong %s by its name, without its value', (name, wrong) => {
    const refused = () => channelsOf({ ...none, ...wrong });
    expect(refused).toThrow(name);
    expect(refused).not.toThrow(/secret/);
  });

  it('give a key one Message-ID', () => {
    expect(messageId('a')).toBe(messageId('a'));
    expect(messageId('a')).not.toBe(messageId('b'));
    expect(messageId('a\r\nBcc: x')).toMatch(/^<[0-9a-f]{40}@sluice>$/);
  });
});
