import fc from 'fast-check';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { seeded } from '../../test/support/seeded.js';
import { flattenSteps, StepLog, type StepProgress } from './progress.js';

beforeEach(() => void vi.useFakeTimers({ now: 0 }));
afterEach(() => void vi.useRealTimers());

const NAMES = ['a', 'b', 'c'] as const;
/** Where a step may go from where it is. One that has ended may be run once more, in another round. */
const NEXT: Record<StepProgress['status'], StepProgress['status'][]> = {
  pending: ['running', 'skipped'],
  running: ['done', 'failed'],
  done: ['running'],
  failed: ['running'],
  skipped: ['running'],
};

type Command = fc.AsyncCommand<{ closed: boolean }, StepLog>;
const step = (name: string, seconds: number, fails: boolean): Command => ({
  check: () => true,
  run: async (_, log) => {
    const running = log.run(
      name,
      () => {
        vi.advanceTimersByTime(seconds * 1000);
        return fails ? Promise.reject(new Error(name)) : Promise.resolve(seconds);
      },
      (result) => `${result} s`,
    );
    await (fails ? expect(running).rejects.toThrow(name) : running);
    const { status, startedAt, finishedAt, detail } = log.steps.find((one) => one.name === name) as StepProgress;
    expect(status).toBe(fails ? 'failed' : 'done');
    expect(Date.parse(finishedAt ?? '')).toBe(Date.now());
    expect(Date.parse(finishedAt ?? '')).toBeGreaterThanOrEqual(Date.parse(startedAt ?? ''));
    if (!fails) expect(detail).toBe(`${seconds} s`);
  },
  toString: () => `step ${name}${fails ? ' fails' : ''} after ${seconds} s`,
});
const close: Command = {
  check: () => true,
  run: (model, log) => {
    const before = log.steps.map(({ status }) => status);
    log.close();
    model.closed = true;
    expect(log.steps.map(({ status }) => status)).toEqual(
      before.map((status) => (status === 'pending' ? 'skipped' : status)),
    );
    return Promise.resolve();
  },
  toString: () => 'close',
};

it('moves each step forward only, keeps its times in order, and shows as skipped what never began', async () => {
  const commands = fc.commands(
    [
      fc
        .tuple(fc.constantFrom(...NAMES), fc.nat({ max: 5 }), fc.boolean())
        .map(([name, seconds, fails]) => step(name, seconds, fails)),
      fc.constant(close),
    ],
    { maxCommands: 10 },
  );
  /** changes that somebody saw and that no step may make */
  const wrong: string[] = [];
  const setup = () => {
    let last: StepProgress['status'][] = NAMES.map(() => 'pending');
    const log: StepLog = new StepLog(NAMES, () => {
      const now = log.steps.map(({ status }) => status);
      last.forEach((from, i) => {
        const to = now[i] ?? 'pending';
        if (to !== from && !NEXT[from].includes(to)) wrong.push(`${from} to ${to}`);
      });
      last = now;
    });
    return { model: { closed: false }, real: log };
  };
  await fc.assert(
    fc.asyncProperty(commands, (run) => fc.asyncModelRun(setup, run)),
    seeded(60),
  );
  expect(wrong).toEqual([]);
});

it('shows what a child did below the step that waited for it, and of another round only that round', async () => {
  const log = new StepLog(['a', 'b'], () => {});
  const ended = (name: string, status: StepProgress['status']): StepProgress => ({
    ...{ name, status, startedAt: 's', finishedAt: 'f', detail: 'd' },
  });
  const shown = () => flattenSteps(log.steps).map(({ path, depth, step: { status } }) => `${depth} ${path} ${status}`);
  await log.run('b', () => Promise.resolve());
  log.nest('b', [ended('x', 'done'), ended('y', 'failed')]);
  expect(shown()).toEqual(['0 a pending', '0 b failed', '1 b / x done', '1 b / y failed']);
  await log.run('b', () => {
    expect(shown()).toEqual(['0 a pending', '0 b running']);
    return Promise.resolve();
  });
  log.nest('b', [ended('x', 'done'), ended('y', 'skipped')]);
  expect(shown()).toEqual(['0 a pending', '0 b done', '1 b / x done', '1 b / y skipped']);
  await expect(log.run('x', () => Promise.resolve())).rejects.toThrow('no step is called x');
});
