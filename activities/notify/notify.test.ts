import { appendFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createNotifyActivities, type Notice } from './notify.js';
import { fileSink, logSink } from './sinks.js';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-notify-'));
  file = join(directory, 'state', 'alerts.jsonl');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const notice = (key: string): Notice => ({
  key,
  severity: 'critical',
  title: 'undo failed',
  text: 'line one\nline two',
});
const now = () => new Date('2025-06-30T12:00:00Z');
const lines = async () => (await readFile(file, 'utf8')).trimEnd().split('\n');

describe('notices', () => {
  it('are told once a key, also when they arrive together', async () => {
    const { notify } = createNotifyActivities({ sinks: [fileSink(file, now)] });
    await Promise.all([notify(notice('a')), notify(notice('a')), notify(notice('b'))]);
    await createNotifyActivities({ sinks: [fileSink(file, now)] }).notify(notice('a'));
    expect((await lines()).map((line) => (JSON.parse(line) as Notice).key)).toEqual(['a', 'b']);
    expect(JSON.parse((await lines())[0] as string)).toEqual({ at: '2025-06-30T12:00:00.000Z', ...notice('a') });
  });

  it('survive a line that a crash cut short', async () => {
    const { notify } = createNotifyActivities({ sinks: [fileSink(file, now)] });
    await notify(notice('a'));
    await appendFile(file, '{"key":"b","sev');
    await notify(notice('b'));
    const written = await lines();
    expect(written).toHaveLength(3);
    expect(JSON.parse(written[2] as string)).toMatchObject({ key: 'b' });
  });

  it('reach the other sinks when one fails, and the failure says which', async () => {
    const blocked = join(directory, 'blocked');
    await writeFile(blocked, 'a file, not a folder');
    const { notify } = createNotifyActivities({
      sinks: [fileSink(join(blocked, 'alerts.jsonl'), now), fileSink(file, now)],
    });
    await expect(notify(notice('a'))).rejects.toMatchObject({
      type: 'Unreachable',
      message: expect.stringContaining(blocked),
    });
    expect(await lines()).toHaveLength(1);
  });

  it('stand in the log at the level of their severity', async () => {
    const written: string[] = [];
    const log = pino({}, { write: (line: string) => void written.push(line) });
    await logSink(log).deliver(notice('a'));
    expect(JSON.parse(written[0] as string)).toMatchObject({ level: 50, msg: 'undo failed', key: 'a' });
  });
});
