import { WorkflowFailedError, type WorkflowHandle } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { describe, expect, it } from 'vitest';
import type { Session } from '../session.js';
import { pendingWork, watchRun, type Queued, type Retry } from './watch.js';

const session = {} as Pick<Session, 'client'>;
const never = new AbortController().signal;

/** A run that is asked, and what it answers to each question in turn; it has ended after the last. */
function run(answers: (string | Error)[], end: 'ends well' | Error, describes: (() => unknown)[] = []): WorkflowHandle {
  let finish: () => void = () => {};
  const result = new Promise<unknown>((resolve, reject) => {
    finish = () => (end === 'ends well' ? resolve({ status: 'the end' }) : reject(end));
  });
  return {
    result: () => result,
    query: () => {
      const answer = answers.shift();
      if (answers.length === 0) finish();
      return answer instanceof Error || answer === undefined
        ? Promise.reject(answer ?? new Error('nobody answers'))
        : Promise.resolve({ status: answer });
    },
    describe: () => Promise.resolve().then(() => describes.shift()?.() ?? { raw: {} }),
  } as unknown as WorkflowHandle;
}
const listener = () => {
  const seen: string[] = [];
  return {
    seen,
    progress: ({ status }: { status: string }) => void seen.push(status),
    retry: ({ activity }: Retry) => void seen.push(`retry ${activity}`),
    queued: (all: readonly Queued[]) => void seen.push(...all.map(({ activity }) => `queued ${activity}`)),
  };
};

it('of what is pending in a run and its rollout, what no worker has begun for seconds is queued', async () => {
  const NOW = Date.parse('2025-06-30T12:00:00Z');
  const activity = (name: string, state: number, secondsAgo: number, more = {}) => ({
    activityType: { name },
    state,
    attempt: 1,
    scheduledTime: msToTs(NOW - secondsAgo * 1000),
    ...more,
  });
  const [SCHEDULED, STARTED] = [1, 2];
  const describes = (raw: object) => ({ describe: () => Promise.resolve({ raw }) }) as unknown as WorkflowHandle;
  const rollout = describes({ pendingActivities: [activity('reload', SCHEDULED, 30)] });
  const release = describes({
    pendingActivities: [
      activity('snapshot', SCHEDULED, 36),
      activity('train', STARTED, 36),
      activity('report', SCHEDULED, 1),
      activity('export', SCHEDULED, 36, { attempt: 2, lastFailure: { message: 'S3 is down' } }),
    ],
    pendingChildren: [{ workflowId: 'rollout' }],
  });
  const client = { workflow: { getHandle: () => rollout } } as unknown as Session['client'];
  expect(await pendingWork({ client }, release, NOW)).toEqual({
    retries: [{ activity: 'export', attempt: 2, failure: 'S3 is down' }],
    queued: [
      { activity: 'snapshot', since: '2025-06-30T11:59:24.000Z' },
      { activity: 'reload', since: '2025-06-30T11:59:30.000Z' },
    ],
  });
});

describe('watching a run', () => {
  it('goes on when Temporal or the worker hiccups, in its queries and in its descriptions', async () => {
    const told = listener();
    const trouble = (): never => {
      throw new Error('unavailable');
    };
    const pending = { activityType: { name: 'reload' }, attempt: 3, lastFailure: { message: 'no answer' } };
    const waiting = { activityType: { name: 'smoke' }, attempt: 1, state: 1, scheduledTime: msToTs(1) };
    const handle = run(
      ['1', new Error('no worker'), '2', '3', '4', '5', '6', '7', '8', '9', '10', '11', '12'],
      'ends well',
      [trouble, () => ({ raw: { pendingActivities: [pending, waiting] } })],
    );
    const end = await watchRun<{ status: string }>(session, handle, told, never, 1);
    expect(end).toEqual({ progress: { status: 'the end' }, error: null });
    expect(told.seen.slice(0, 2)).toEqual(['1', '2']);
    expect(told.seen).toEqual(expect.arrayContaining(['retry reload', 'queued smoke']));
    expect(told.seen.at(-1)).toBe('the end');
  });

  it('tells why a run failed, with the last it answers of itself', async () => {
    const failed = new WorkflowFailedError('it failed', new Error('the smoke test failed'), 'NON_RETRYABLE_FAILURE');
    const handle = run(['going', 'Failed'], failed);
    const query = handle.query.bind(handle);
    let last: unknown;
    handle.query = (async () => (last = await query('progress').catch(() => last))) as never;
    const watched = watchRun<{ status: string }>(session, handle, listener(), never, 1);
    expect(await watched).toEqual({ progress: { status: 'Failed' }, error: 'the smoke test failed' });
  });

  it('says that nobody can tell how it ended, where no worker answers', async () => {
    const failed = new WorkflowFailedError('it failed', new Error('why'), 'NON_RETRYABLE_FAILURE');
    await expect(watchRun(session, run([new Error('no worker')], failed), listener(), never, 1)).rejects.toMatchObject({
      type: 'Unreachable',
      message: expect.stringMatching(/has finished \(why\).*no release worker is running/) as string,
    });
  });

  it('ends at the signal, whatever the run does', async () => {
    const stop = new AbortController();
    const handle = {
      ...run(['1', '2'], 'ends well'),
      result: () => new Promise(() => {}),
      query: () => Promise.resolve({ status: 'x' }),
    };
    const watched = watchRun(session, handle as never, { ...listener(), progress: () => stop.abort() }, stop.signal, 1);
    await expect(watched).rejects.toThrow(/abort/i);
  });
});
