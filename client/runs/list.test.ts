import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Session } from '../session.js';
import { newest, statusOf, summariesOf } from './list.js';

type Info = Parameters<typeof statusOf>[0] & Parameters<Parameters<typeof newest>[2]>[0];
const info = (workflowId: string, startMs: number, closeMs: number | null): Info => ({
  workflowId,
  runId: workflowId,
  startTime: new Date(startMs),
  ...(closeMs === null ? {} : { closeTime: new Date(closeMs) }),
  status: { name: closeMs === null ? 'RUNNING' : 'COMPLETED' },
  typedSearchAttributes: { get: () => undefined },
});

/** In Temporal's order: open ones, then those that closed last. */
async function* listed(infos: readonly Info[], read: string[] = []): AsyncGenerator<Info> {
  const closed = (one: Info): number => one.closeTime?.getTime() ?? Infinity;
  for (const one of [...infos].sort((a, b) => closed(b) - closed(a) || b.startTime.getTime() - a.startTime.getTime())) {
    read.push(one.workflowId);
    yield await Promise.resolve(one);
  }
}

describe('a list of runs', () => {
  it('has those that started last, whatever closed last', async () => {
    const infos = fc.array(fc.tuple(fc.nat(50), fc.option(fc.nat(50))), { maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(infos, fc.integer({ min: 1, max: 10 }), async (runs, limit) => {
        const all = runs.map(([start, took], i) => info(`${i}`, start, took === null ? null : start + took));
        const starts = (await newest(listed(all), limit, () => true)).map(({ startTime }) => startTime.getTime());
        expect(starts).toEqual(
          all
            .map(({ startTime }) => startTime.getTime())
            .sort((a, b) => b - a)
            .slice(0, limit),
        );
      }),
    );
  });

  it('does not read on where nothing newer can follow, and counts only what it shows', async () => {
    const all = [
      info('old-1', 0, 5),
      info('old-2', 1, 6),
      info('new', 10, 20),
      info('part', 11, 21),
      info('open', 2, null),
    ];
    const read: string[] = [];
    const found = await newest(listed(all, read), 1, ({ workflowId }) => workflowId !== 'part');
    expect(found.map(({ workflowId }) => workflowId)).toEqual(['new']);
    expect(read).toEqual(['open', 'part', 'new', 'old-2']);
  });

  it('says who asked for each and why, and nothing where Temporal does not know', async () => {
    const said: Record<string, string> = { 'release/m/1': 'release 1 of m by ada: a new quarter' };
    const describe = (id: string) =>
      id === 'gone' ? Promise.reject(new Error('not found')) : Promise.resolve({ staticSummary: () => said[id] });
    const client = { workflow: { getHandle: (id: string) => ({ describe: () => describe(id) }) } };
    const runs = ['release/m/1', 'gone', ...Array.from({ length: 30 }, (_, i) => `${i}`), 'release/m/1'];
    const summaries = await summariesOf(
      { client } as unknown as Session,
      runs.map((workflowId) => ({ workflowId, runId: workflowId })),
    );
    expect(summaries).toEqual(runs.map((id) => said[id] ?? null));
  });

  it.each([
    ['RUNNING', 'WaitingForApproval', 'WaitingForApproval'],
    ['RUNNING', undefined, 'Running'],
    ['COMPLETED', 'Released', 'Released'],
    ['COMPLETED', undefined, 'Completed'],
    ['FAILED', 'Failed', 'Failed'],
    ['FAILED', 'Running', 'Failed'],
    ['FAILED', undefined, 'Failed'],
    ['CANCELLED', 'Failed', 'Cancelled'],
    ['CANCELLED', 'WaitingForApproval', 'Cancelled'],
    ['TERMINATED', 'Running', 'Terminated'],
    ['TERMINATED', 'Released', 'Terminated'],
    ['TIMED_OUT', 'Running', 'TimedOut'],
  ] as const)('%s, which said %s, is shown as %s', (name, said, shown) => {
    expect(statusOf({ status: { name }, typedSearchAttributes: { get: () => said as never } })).toBe(shown);
  });
});
