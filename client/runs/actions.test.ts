import { WorkflowNotFoundError } from '@temporalio/client';
import { describe, expect, it } from 'vitest';
import { projectPath } from '../../platform/project.js';
import type { Cli } from '../cli.js';
import { EXIT } from '../exit-codes.js';
import { createOutput } from '../output.js';
import type { Session } from '../session.js';
import { THRESHOLDS } from '../thresholds/kind.js';
import { defineRun } from './actions.js';

const REF = { model: 'ulb_gbdt', key: '2025-06-30' };

/** One run, in whatever state, seen by a command. */
function command(run: { temporal: 'RUNNING' | 'COMPLETED' | 'TERMINATED' | 'CANCELLED' | 'none'; status?: string }) {
  const told = { out: '', err: '', cancelled: 0 };
  const stream = (name: 'out' | 'err') =>
    ({ write: (text: string) => void (told[name] += text) }) as unknown as NodeJS.WriteStream;
  const interrupt = new AbortController();
  const cli = {
    output: createOutput({ json: false, stdout: stream('out'), stderr: stream('err'), dumb: false }),
    modelsDirectory: projectPath('models'),
    interrupted: interrupt.signal,
  } as Cli;
  const handle = {
    workflowId: 'thresholds/ulb_gbdt/2025-06-30',
    describe: () =>
      run.temporal === 'none'
        ? Promise.reject(new WorkflowNotFoundError('none', 'x', undefined))
        : Promise.resolve({ status: { name: run.temporal }, raw: {} }),
    query: () =>
      Promise.resolve({
        status: run.status,
        steps: [],
        approval: null,
        why: null,
        proposal: null,
        edited: null,
        bundleVersion: null,
        decidedBy: null,
      }),
    cancel: () => Promise.resolve(void (told.cancelled += 1)),
    result: () => new Promise(() => {}),
  };
  const session = { client: { workflow: { getHandle: () => handle } }, uiUrl: () => 'http://ui' } as unknown as Session;
  return { runs: defineRun(cli, THRESHOLDS), session, told, interrupt };
}

describe('cancelling', () => {
  it('changes nothing of a run that has finished, and says so', async () => {
    const { runs, session, told } = command({ temporal: 'COMPLETED', status: 'Live' });
    await expect(runs.cancel(session, REF)).rejects.toMatchObject({
      type: 'Conflict',
      message: expect.stringContaining(
        'thresholds 2025-06-30 has already finished (Live); nothing to cancel',
      ) as string,
    });
    expect(told).toMatchObject({ cancelled: 0 });
  });

  it('asks a running one to stop, once', async () => {
    const { runs, session, told } = command({ temporal: 'RUNNING' });
    await runs.cancel(session, REF);
    expect(told.cancelled).toBe(1);
    expect(told.out).toContain('`sluice thresholds watch 2025-06-30` shows how it ends');
  });
});

it.each([
  ['TERMINATED', 'Terminated'],
  ['CANCELLED', 'Cancelled'],
] as const)(
  'a run that was %s is shown as such, whatever it last said of itself, and is no success',
  async (temporal, shown) => {
    const { runs, session, told } = command({ temporal, status: 'Running' });
    expect(await runs.show(session, REF)).toBe(EXIT.failed);
    expect(told.out).toContain(`thresholds 2025-06-30: ${shown}`);
  },
);

it('what is not there is said not to be, with the command that lists the others', async () => {
  const { runs, session } = command({ temporal: 'none' });
  await expect(runs.watch(session, REF)).rejects.toMatchObject({
    type: 'NotFound',
    message: 'there is no thresholds 2025-06-30 of ulb_gbdt: see `sluice thresholds list`',
  });
});

it('Ctrl-C ends the watching, says that the run goes on and how to watch it again', async () => {
  const { runs, session, told, interrupt } = command({ temporal: 'RUNNING', status: 'Running' });
  const watching = runs.watch(session, REF);
  setImmediate(() => interrupt.abort(new Error('stopped by SIGINT')));
  await expect(watching).rejects.toThrow();
  expect(told.err).toBe('thresholds 2025-06-30 goes on; watch it again with `sluice thresholds watch 2025-06-30`\n');
});
